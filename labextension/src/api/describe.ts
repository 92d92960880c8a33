import type { TranslationBundle } from '@jupyterlab/translation';

import {
  Blanks,
  MissingBlank,
  formatOf,
  shorten,
  tidy,
  tidyParams,
  type Render
} from './blanks';
import type { Params } from './errors';

/** Longest message of a server that this page has no words for. */
const LONGEST_MESSAGE = 500;

/** Texts by the stable code of what they tell. */
export type Words = Readonly<Record<string, Render>>;

/** A reason or an error as it crossed the wire. */
export interface ICoded {
  readonly code: string;
  readonly message: string;
  readonly params: Params;
}

/** Say it in the user's language, or in English if there are no words for the code. */
export function say(coded: ICoded, words: Words, trans: TranslationBundle): string {
  const render = Object.hasOwn(words, coded.code) ? words[coded.code] : undefined;
  const said = render && fill(render, coded.params, trans);
  return said ?? shorten(tidy(coded.message), LONGEST_MESSAGE);
}

function fill(
  render: Render,
  params: Params,
  trans: TranslationBundle
): string | undefined {
  try {
    const blanks = new Blanks(params, formatOf(trans));
    return render(trans, tidyParams(params), blanks);
  } catch (error) {
    if (error instanceof MissingBlank) {
      return undefined;
    }
    throw error;
  }
}
