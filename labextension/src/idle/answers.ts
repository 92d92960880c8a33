import type { TranslationBundle } from '@jupyterlab/translation';

import type { components } from '../api/schema';
import type { IdleWords } from './words';

const HOUR = 3600;
export const DAY = 24 * HOUR;

/** Times that people ask for, in seconds. */
const LENGTHS = [6 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY];

/** The choices where at most so much is granted, the longest last. */
export function lengthsUpTo(most: number): number[] {
  return [...LENGTHS.filter(length => length < most), most];
}

/** What the user is told of an answer. */
export interface IAnswer {
  readonly title: string;
  readonly body: readonly string[];
}

/** The operator's answer in words. */
export function answerOf(
  answer: components['schemas']['TimeAnswer'],
  now: Date,
  words: IdleWords,
  trans: TranslationBundle
): IAnswer {
  const { granted, text, until } = answer;
  const said = text === '' ? [] : [words.quoted(text)];
  if (!granted) {
    const refused = trans.__(
      'Your server is deleted when it was to be, unless it is used.'
    );
    return {
      title: trans.__('More time was not granted'),
      body: said.length > 0 ? said : [refused]
    };
  }
  return {
    title: trans.__('More time was granted'),
    body: [
      until === null
        ? trans.__('Until when was not said.')
        : trans.__('Your server is kept until %1.', words.when.day(new Date(until), now)),
      ...said
    ]
  };
}
