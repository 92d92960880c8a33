import { nullTranslator } from '@jupyterlab/translation';
import { expect, it } from 'vitest';

import type { IMark } from './marks';
import { tellingsOf } from './tellings';

const trans = nullTranslator.load('jupyter_einfra');

function told(marks: readonly (readonly [number, string])[]): string[] {
  const frame = {
    times: [500],
    since: 0,
    until: 1000,
    marks: marks.map(([time, text]): IMark => ({ time, text, kind: 'loss' }))
  };
  return tellingsOf({ traces: [] }, frame, 0, trans).map(({ text }) => text);
}

it('tells the nearest marks, and how many more there are', () => {
  const marks = [495, 496, 497, 498, 499].map(time => [time, `at ${time}`] as const);
  expect(told(marks)).toEqual(['at 499', 'at 498', 'at 497', 'and 2 more']);
});

it('tells the same once, and nothing that is far away', () => {
  expect(
    told([
      [480, 'long ago'],
      [500, 'now'],
      [501, 'now']
    ])
  ).toEqual(['now']);
});
