import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { Format } from '../api/format';
import { hours, idleStatus, NOW } from '../testing/idle';
import { When } from '../api/when';
import { IdleWords, type Status } from './words';

const trans = nullTranslator.load('jupyter_einfra');
const words = new IdleWords(trans, new Format(trans, 'en-GB'), new When('en-GB'));

const FILE = { source: 'file', is_estimate: false } as const;

describe.each<[string, Partial<Status>, string, string]>([
  [
    'kept, as is estimated',
    {},
    'Kept at least until Fri 03:59',
    'Yes, at least until Friday 03:59.'
  ],
  [
    'kept, as the operator says',
    FILE,
    'Kept until Fri 03:59',
    'Yes, until Friday 03:59, and longer if it is used.'
  ],
  [
    'kept, nobody knows until when',
    { delete_at: null },
    'Kept for more than a day',
    'Yes, for more than a day.'
  ],
  [
    'a day, as is estimated',
    { level: 'day', delete_at: hours(14) },
    'May be deleted from Wed 04:05 on',
    'Unless it is used, it may be deleted as early as tomorrow 4:05 (estimate).'
  ],
  [
    'a day, as the operator says',
    { ...FILE, level: 'day', delete_at: hours(14) },
    'Deleted unless used: Wed 04:05',
    'Only if it is used before tomorrow 4:05.'
  ],
  [
    'an hour, as is estimated',
    { level: 'hour', delete_at: hours(0.66) },
    'May be deleted in 40 mins',
    'Unless it is used, it may be deleted in 40 mins (estimate).'
  ],
  [
    'an hour, as the operator says',
    { ...FILE, level: 'hour', delete_at: hours(0.66) },
    'Deleted in 40 mins unless used',
    'Only if it is used within 40 mins.'
  ],
  [
    'the last seconds',
    { ...FILE, level: 'hour', delete_at: hours(0.001) },
    'Deleted in 1 min unless used',
    'Only if it is used within 1 min.'
  ],
  [
    'over',
    { ...FILE, level: 'hour', delete_at: hours(-1) },
    'May be deleted at any moment',
    'It may be deleted at any moment, unless it is used.'
  ],
  [
    'soon, nobody knows when',
    { level: 'hour', delete_at: null },
    'May be deleted soon',
    'It may be deleted soon, unless it is used.'
  ],
  [
    'unsure',
    { level: 'unsure' },
    'Seems to be in use',
    'Probably: it seems to be used, which cannot be proven from here.'
  ],
  [
    'unknown',
    { level: 'unknown', source: null },
    'Kept until: not known',
    'It cannot be told from here.'
  ]
])('%s', (_, change, brief, answer) => {
  it('is told in the status bar and on the page', () => {
    const status = idleStatus(change);
    expect(words.brief(status, NOW).replace(/60 secs/, '1 min')).toBe(brief);
    expect(words.answer(status, NOW).replace(/60 secs/, '1 min')).toBe(answer);
  });
});

it('never gives an estimate out as more', () => {
  for (const level of ['kept', 'unsure', 'day', 'hour'] as const) {
    const advice = words.advice(idleStatus({ level }), NOW).join(' ');
    expect(advice).toContain('estimate');
    expect(advice).not.toContain('own word');
  }
  expect(words.counter(idleStatus())).toBe('At most 2 of 5 (estimate)');
  expect(words.counter(idleStatus(FILE))).toBe('2 of 5');
  expect(words.counter(idleStatus({ counter: null }))).toBeNull();
});

describe('the rule', () => {
  const rule = idleStatus().policy?.rule;
  it.each([
    [{}, '0.1 cores or more in use, as a mean of 5 mins.'],
    [
      { idle_at_threshold: true, threshold: 0 },
      'More than 0 cores in use, as a mean of 5 mins.'
    ],
    [
      { metric: 'gpu_busy_share', threshold: 0.005 } as const,
      'A GPU busy for 0.5 % of the time or more, as a mean of 5 mins.'
    ],
    [
      { metric: 'gpu_busy_share', threshold: 0, idle_at_threshold: true } as const,
      'A GPU busy for more than 0 % of the time, as a mean of 5 mins.'
    ]
  ])('says what counts as use: %o', (change, text) => {
    expect(rule).toBeTruthy();
    expect(rule && words.use({ ...rule, ...change })).toBe(
      `${text} Once before an evaluation is enough.`
    );
  });

  it('says how much is missing', () => {
    expect(rule && words.ofNeeded(rule, 0.00421)).toBe('0.0042 of 0.1 cores needed');
    expect(rule && words.ofNeeded({ ...rule, metric: 'gpu_busy_share' }, 0.004)).toBe(
      '0.4 % of 10 % needed'
    );
  });
});

it('keeps an operator’s text on one line, and from turning the page about', () => {
  expect(words.quoted(`a\u202e\n${'b'.repeat(5000)}`)).toMatch(/^a {2}b+…b+$/);
  expect(words.quoted('b'.repeat(5000))).toHaveLength(2000);
});
