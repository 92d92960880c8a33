import type { TranslationBundle } from '@jupyterlab/translation';

import type { components } from '../api/schema';
import { isOwnCount, type IdleWords, type Status } from './words';

/** Something to know about the deletion; a term has one paragraph or more. */
export interface IFact {
  readonly term: string;
  readonly told: readonly string[];
}

/** What is known of the deletion, whose word it is, and what cannot be seen. */
export function factsOf(
  status: Status,
  now: Date,
  words: IdleWords,
  trans: TranslationBundle
): IFact[] {
  const rule = status.policy?.rule ?? null;
  const counter = words.counter(status);
  const time = (text: string): string => words.format.time(new Date(text), now);
  const facts: (IFact | null | false)[] = [
    rule && { term: trans.__('What counts as use'), told: [words.use(rule)] },
    rule &&
      status.day_maximum !== null && {
        term: trans.__('Most in the last 24 hours'),
        told: [words.ofNeeded(rule, status.day_maximum)]
      },
    rule && {
      term: trans.__('Last certain use'),
      told: [status.used_at === null ? trans.__('None was seen.') : time(status.used_at)]
    },
    rule && {
      term: trans.__('Next evaluation'),
      told: [
        status.next_evaluation_at === null
          ? trans.__('Nobody here knows when.')
          : isOwnCount(status)
            ? trans.__('%1 (estimate)', time(status.next_evaluation_at))
            : time(status.next_evaluation_at)
      ]
    },
    counter === null
      ? null
      : {
          term: trans.__('Found unused in a row'),
          told: [trans.__('%1; at %2 it is deleted.', counter, status.counter_limit ?? '')]
        },
    { term: trans.__('Whose word this is'), told: whoseWord(status, time, words, trans) },
    {
      term: trans.__('Who else was asked'),
      told: status.sources
        .filter(({ name }) => name !== status.source)
        .flatMap(
          ({ name, reason }) =>
            reason ? [trans.__('%1: %2', words.source(name), words.reason(reason))] : [] // it was not needed
        )
    },
    {
      term: trans.__('What cannot be seen from here'),
      told: status.unseen.map(reason => words.reason(reason))
    },
    { term: trans.__('More time'), told: moreTime(status, time, words, trans) },
    status.policy && {
      term: trans.__('The operator’s policy'),
      told: [
        words.quoted(status.policy.text),
        trans.__('Revision: %1', words.quoted(status.policy.revision))
      ].filter(text => text !== '')
    }
  ];
  return facts
    .filter(fact => fact !== null && fact !== false)
    .filter(({ told }) => told.length > 0);
}

/** One row of the table that says what the picture shows. */
export interface IRow {
  readonly key: string;
  readonly time: string;
  readonly found: string;
  readonly counter: string;
  readonly source: string;
}

/** The evaluations and the deletion, in words. */
export function rowsOf(
  report: components['schemas']['IdleReport'],
  now: Date,
  words: IdleWords,
  trans: TranslationBundle
): IRow[] {
  const { evaluations, status } = report;
  const estimate = trans.__('estimate');
  const operator = trans.__('the operator');
  const rows = evaluations.map(({ time, counter, used, known }) => {
    const isAhead = new Date(time) > now;
    return {
      key: time,
      time: words.when.moment(new Date(time)),
      found: isAhead
        ? used
          ? trans.__('will find use')
          : trans.__('if it is not used by then')
        : used
          ? trans.__('in use')
          : trans.__('unused'),
      counter: known || used ? String(counter) : trans.__('at most %1', counter),
      source: known ? operator : estimate
    };
  });
  if (status.delete_at !== null) {
    rows.push({
      key: 'deletion',
      time: words.when.moment(new Date(status.delete_at)),
      found: status.is_estimate
        ? trans.__('deletion, at the earliest')
        : trans.__('deletion'),
      counter: '',
      source: status.is_estimate ? estimate : operator
    });
  }
  return rows;
}

function whoseWord(
  status: Status,
  time: (text: string) => string,
  words: IdleWords,
  trans: TranslationBundle
): string[] {
  if (status.source === null) {
    return [trans.__('Nobody’s: no source can be relied on.')];
  }
  const source = status.sources.find(({ name }) => name === status.source);
  return [
    source && source.time !== null
      ? trans.__('%1 (%2)', words.source(status.source), time(source.time))
      : words.source(status.source)
  ];
}

function moreTime(
  { extension }: Status,
  time: (text: string) => string,
  words: IdleWords,
  trans: TranslationBundle
): string[] {
  if (!extension) {
    return [];
  }
  return [
    extension.granted_until === null
      ? trans.__('You can ask for up to %1.', words.format.duration(extension.most_seconds))
      : trans.__('Granted until: %1', time(extension.granted_until)),
    words.quoted(extension.text)
  ].filter(text => text !== '');
}
