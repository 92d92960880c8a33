import { nullTranslator } from '@jupyterlab/translation';
import { expect, it } from 'vitest';

import { Format } from '../../api/format';
import type { components } from '../../api/schema';
import { notice } from '../../testing/notices';
import { reason } from '../../testing/samples';
import { notesOf } from './notes';

const trans = nullTranslator.load('jupyter_einfra');
const format = new Format(trans, 'en');

const RUN: components['schemas']['Run'] = {
  started: '2026-11-20T10:00:00Z',
  ended: '2026-11-20T11:00:00Z',
  ending: 'killed',
  reason: null
};

function texts(
  notices: Parameters<typeof notesOf>[0],
  run: typeof RUN | null = null
): string[] {
  const details = { previous_run: run, history_reason: null };
  return notesOf(notices, details, trans, format).map(({ text }) => text);
}

it('tells the worst first', () => {
  const notices = [
    notice('1', { severity: 'info', code: 'a' }),
    notice('2', { code: 'b' }),
    notice('3', { severity: 'error', code: 'c' })
  ];
  expect(texts(notices)).toEqual(['Message of 3.', 'Message of 2.', 'Message of 1.']);
});

it('tells one end of a run once', () => {
  expect(texts([], RUN)).toEqual([
    expect.stringMatching(/^Last run, until .*: The server was killed\.$/)
  ]);
  const told = notice('1', { code: 'previous_run_of_another_kind' });
  expect(texts([told], RUN)).toEqual(['Message of 1.']);
});

it('tells the time of an end once', () => {
  const run = { ...RUN, reason: reason('why') };
  expect(texts([], run)).toEqual(['Last run: English for why']);
});

it.each(['stopped', 'running'] as const)('has nothing to say of a run %s', ending => {
  expect(texts([], { ...RUN, ending })).toEqual([]);
});
