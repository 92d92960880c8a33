import { nullTranslator } from '@jupyterlab/translation';
import { expect, it } from 'vitest';

import { Format } from '../api/format';
import { hours, idleReport, idleStatus, NOW } from '../testing/idle';
import { reason } from '../testing/samples';
import { answerOf, lengthsUpTo } from './answers';
import { factsOf, rowsOf } from './facts';
import { When } from '../api/when';
import { IdleWords, type Status } from './words';

const trans = nullTranslator.load('jupyter_einfra');
const words = new IdleWords(trans, new Format(trans, 'en-GB'), new When('en-GB'));

function facts(change: Partial<Status> = {}): Record<string, readonly string[]> {
  const all = factsOf(idleStatus(change), NOW, words, trans);
  return Object.fromEntries(all.map(({ term, told }) => [term, told]));
}

it('tells what the answer rests on', () => {
  expect(facts()).toMatchObject({
    'Most in the last 24 hours': ['0.0042 of 0.1 cores needed'],
    'Last certain use': ['Sun 12:05'],
    'Next evaluation': ['Wed 03:59 (estimate)'],
    'Found unused in a row': ['At most 2 of 5 (estimate); at 5 it is deleted.'],
    'Whose word this is': ['An estimate made here from the use that was seen (14:05)'],
    'The operator’s policy': ['Unused servers are deleted.', 'Revision: 2026']
  });
  expect(facts()['Who else was asked']).toEqual([
    'What the operator’s controller wrote into this server: The operator’s controller has not written anything into this server yet.'
  ]);
  expect(facts()).not.toHaveProperty('More time');
  expect(facts()).not.toHaveProperty('What cannot be seen from here');
});

it('tells what is not known', () => {
  const told = facts({
    used_at: null,
    next_evaluation_at: null,
    counter: null,
    day_maximum: null,
    unseen: [reason('idle_gpu_hidden')]
  });
  expect(told).toMatchObject({
    'Last certain use': ['None was seen.'],
    'Next evaluation': ['Nobody here knows when.'],
    'What cannot be seen from here': [
      'How busy a GPU is cannot be read here, so it counts as idle.'
    ]
  });
  expect(told).not.toHaveProperty('Found unused in a row');
  expect(told).not.toHaveProperty('Most in the last 24 hours');
});

it('tells no rule of a policy that is not known', () => {
  const policy = { revision: '2031', text: 'New rules.', rule: null };
  const told = facts({ level: 'unknown', source: null, counter: null, policy });
  expect(Object.keys(told)).toEqual([
    'Whose word this is',
    'Who else was asked',
    'The operator’s policy'
  ]);
});

it('tells how much time can be had', () => {
  const extension = { most_seconds: 14 * 86_400, granted_until: null, text: 'Write.' };
  expect(facts({ extension })['More time']).toEqual([
    'You can ask for up to 14 days.',
    'Write.'
  ]);
  const granted = { ...extension, granted_until: hours(240), text: '' };
  expect(facts({ extension: granted })['More time']).toEqual([
    'Granted until: 4 Dec, 14:05'
  ]);
});

it('says in words what the picture shows', () => {
  const rows = rowsOf(idleReport(), NOW, words, trans);
  expect(rows.map(({ found, counter, source }) => [found, counter, source])).toEqual([
    ['in use', '0', 'the operator'],
    ['unused', '1', 'the operator'],
    ['unused', 'at most 2', 'estimate'],
    ['if it is not used by then', 'at most 3', 'estimate'],
    ['if it is not used by then', 'at most 4', 'estimate'],
    ['if it is not used by then', 'at most 5', 'estimate'],
    ['deletion, at the earliest', '', 'estimate']
  ]);
});

it('offers times up to the longest', () => {
  const days = (most: number): number[] => lengthsUpTo(most).map(each => each / 86_400);
  expect(days(14 * 86_400)).toEqual([0.25, 1, 2, 3, 7, 14]);
  expect(days(10 * 86_400)).toEqual([0.25, 1, 2, 3, 7, 10]);
  expect(lengthsUpTo(3600)).toEqual([3600]);
});

it('tells the operator’s answer', () => {
  const granted = { granted: true, until: hours(240), text: 'Have fun.' };
  expect(answerOf(granted, NOW, words, trans)).toEqual({
    title: 'More time was granted',
    body: ['Your server is kept until Fri 4 Dec, 14:05.', 'Have fun.']
  });
  const refused = { granted: false, until: null, text: 'GPUs are scarce.' };
  expect(answerOf(refused, NOW, words, trans)).toEqual({
    title: 'More time was not granted',
    body: ['GPUs are scarce.']
  });
});
