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
import { EVENTS } from './events';
import { REASONS } from './reasons';

/** Longest message of a server that this page has no words for. */
const LONGEST_MESSAGE = 500;

/**
 * The text of every reason and error, by its stable code.
 *
 * Say what happened and what to do next.
 */
const MESSAGES: Readonly<Record<string, Render>> = {
  ...REASONS,
  ...EVENTS,

  // features and topics
  feature_off: (trans, { feature }) =>
    trans.__('The operator switched the feature “%1” off.', feature),
  feature_failed: (trans, { feature }) =>
    trans.__('The feature “%1” could not start. The log of the server tells why.', feature),
  unknown_topic: (trans, { topic }) =>
    trans.__('This server has no topic “%1”. Reload the page after an update.', topic),

  // replies
  invalid_parameter: (trans, { parameter }) =>
    trans.__(
      'The server does not understand the value of “%1”. Reload the page after an update.',
      parameter
    ),
  unknown_path: trans =>
    trans.__('This server has nothing at that address. Reload the page after an update.'),
  method_not_allowed: trans =>
    trans.__('The server does not accept that here. Reload the page after an update.'),
  forbidden: trans =>
    trans.__('You may not do this on this server. Sign in again or ask its owner.'),
  not_yet: trans => trans.__('The server has only just started; its first figures follow.'),
  too_many_streams: (trans, { limit }) =>
    trans._n(
      'This server sends live data to at most %1 page at once. Close some of its tabs.',
      'This server sends live data to at most %1 pages at once. Close some of its tabs.',
      Number(limit)
    ),
  internal_error: trans =>
    trans.__('The server met an error that it did not expect; its log tells more.'),
  http_error: (trans, { status }) =>
    trans.__('The server answered with status %1.', status),

  // what only the browser can notice
  network_error: trans => trans.__('The server cannot be reached.'),
  stream_ended: trans => trans.__('The server ended the connection.'),
  stream_silent: trans => trans.__('The server fell silent.'),
  stream_unreadable: trans =>
    trans.__(
      'The server sent something that this page does not understand. Reload the page.'
    )
};

/** A reason or an error as it crossed the wire. */
export interface ICoded {
  readonly code: string;
  readonly message: string;
  readonly params: Params;
}

/** Say it in the user's language, or in English if this page does not know the code. */
export function describe(coded: ICoded, trans: TranslationBundle): string {
  const render = Object.hasOwn(MESSAGES, coded.code) ? MESSAGES[coded.code] : undefined;
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
