import { nullTranslator } from '@jupyterlab/translation';
import { expect, it } from 'vitest';

import { reason } from '../../testing/samples';
import { marksOf } from './marks';

const trans = nullTranslator.load('jupyter_einfra');

it('marks events and the ends of runs in their order', () => {
  const run = { started: '2026-11-20T10:00:00Z', ended: '2026-11-20T11:00:00Z' };
  const marks = marksOf(
    {
      events: [
        {
          time: '2026-11-20T10:30:00Z',
          code: 'kernel_of_a_new_kind',
          message: 'A kernel died.',
          params: {}
        }
      ],
      runs: [
        { ...run, ending: 'out-of-memory', reason: reason('full') },
        { started: '2026-11-20T11:01:00Z', ended: null, ending: 'running', reason: null }
      ]
    },
    trans
  );
  expect(marks.map(({ kind, text }) => [kind, text])).toEqual([
    ['start', 'The server started.'],
    ['loss', 'A kernel died.'],
    ['loss', 'English for full'],
    ['start', 'The server started.']
  ]);
});

it.each([
  ['stopped', 'event', 'The server was stopped.'],
  ['killed', 'loss', 'The server was killed.']
] as const)('has a word for a run that was %s', (ending, kind, text) => {
  const run = { started: '2026-11-20T10:00:00Z', ended: '2026-11-20T11:00:00Z' };
  const marks = marksOf({ events: [], runs: [{ ...run, ending, reason: null }] }, trans);
  expect(marks[1]).toMatchObject({ kind, text });
});
