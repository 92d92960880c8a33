import { expect, it } from 'vitest';

import { ago, digest } from '../../testing/activity';
import { band, history } from '../../testing/history';
import { curveOf, queryOf } from './sparkline';

it.each([
  [1 / 60, '1'],
  [1, '10'],
  [6, '60'],
  [63, '600'],
  [24 * 14, '3600'],
  [24 * 400, '3600']
])('asks for figures of %d hours that can be told apart', (hours, resolution) => {
  const query = new URLSearchParams(queryOf(digest({ since: ago(hours) })) ?? '');
  expect(query.get('resolution')).toBe(resolution);
  const seconds =
    (Date.parse(query.get('until') ?? '') - Date.parse(query.get('since') ?? '')) / 1000;
  // More than that the server refuses.
  expect(seconds / Number(resolution)).toBeLessThanOrEqual(2200);
});

it('asks for nothing where no time has passed', () => {
  expect(queryOf(digest({ since: ago(0) }))).toBeNull();
});

const OFFSETS = [0, 225, 450, 675];

it('draws the CPU against its limit, with a gap where nothing is known', () => {
  const curve = curveOf(
    history(OFFSETS, {
      gap_seconds: 600,
      resolution_seconds: 225,
      cpu_used_cores: band([1, 2, null, 0]),
      cpu_limit_cores: band([2, 2, 2, 2])
    })
  );
  expect(curve).toMatchObject({
    kind: 'cpu',
    line: 'M0 33L250 2L500 2M750 64L1000 64',
    mean: 1,
    maximum: 2,
    limit: 2
  });
  expect(curve?.area.match(/Z/g)).toHaveLength(2);
});

it('has a gap where the server was not there', () => {
  const used = band([1, 1, 1, 1]);
  const curve = curveOf(history(OFFSETS, { gap_seconds: 100, cpu_used_cores: used }));
  expect(curve?.line.match(/M/g)).toHaveLength(4);
});

it('draws the GPUs together where there are some', () => {
  const gpu = {
    uuid: 'a',
    index: 0,
    name: 'A100',
    scope: 'gpu',
    memory_total_bytes: null,
    memory_used_bytes: band([])
  } as const;
  const gpus = [
    { ...gpu, utilization: band([0.5, 1, null, 0]) },
    { ...gpu, utilization: band([1, 1, null, null]) }
  ];
  expect(curveOf(history(OFFSETS, { gpus }))).toMatchObject({
    kind: 'gpu',
    mean: (0.75 + 1 + 0) / 3,
    maximum: 1,
    limit: null
  });
});

it('draws nothing where nothing is known', () => {
  expect(curveOf(history(OFFSETS))).toBeNull();
});
