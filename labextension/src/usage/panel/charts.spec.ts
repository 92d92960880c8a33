import { nullTranslator } from '@jupyterlab/translation';
import { expect, it } from 'vitest';

import { band, history } from '../../testing/history';
import { GIB, gpu, reason, sample } from '../../testing/samples';
import { Figures } from '../figures';
import { Format } from '../../api/format';
import { DEFAULT_SETTINGS } from '../settings';
import type { IChart } from './chart';
import { Charts } from './charts';
import { emptyTimeline, readingsOf, timelineOf } from './columns';
import { RANGES } from './ranges';
import type { Timeline } from './timeline';
import { niceAbove } from './traces';

const trans = nullTranslator.load('jupyter_einfra');
const format = new Format(trans, 'en');
const [RANGE] = RANGES;

function chartsOf(
  usage: ReturnType<typeof sample>,
  timeline?: Timeline,
  former: Parameters<Charts['of']>[3] = []
): Map<string, IChart> {
  const live = timeline ?? emptyTimeline(RANGE, 0);
  if (!timeline) {
    live.append(Date.parse(usage.time) / 1000, readingsOf(usage), 1);
  }
  const figures = new Figures(trans, format).of(usage, DEFAULT_SETTINGS);
  const charts = new Charts(trans, format).of(usage, figures, live, former, RANGE);
  return new Map(charts.map(chart => [chart.key, chart]));
}

function tell(chart: IChart | undefined, point = 0): string[] {
  return (chart?.traces ?? [])
    .map(({ label, tell: told }) => `${label} ${told(point)}`)
    .filter(text => !text.endsWith(' '));
}

it('shows CPU, memory and network of a server that has nothing else', () => {
  expect([...chartsOf(sample()).keys()]).toEqual(['cpu', 'memory', 'network']);
});

it('has room for the limit, and tells the figure against it', () => {
  const cpu = chartsOf(sample()).get('cpu');
  expect(cpu).toMatchObject({ title: 'CPU', value: '1.0 of 2 cores', notes: [] });
  expect(cpu?.mark).toEqual({ value: 2, text: '2' });
  expect(cpu?.top).toBeGreaterThan(2);
  expect(tell(cpu)).toEqual(['in use 1.00 cores', 'limit 2.00 cores']);
});

it('takes a scale of its own where the limit is far away', () => {
  const cpu = chartsOf(sample({ cpu: { used_cores: 1.5, limit_cores: 128 } })).get('cpu');
  expect(cpu?.top).toBe(2);
  expect(cpu?.mark).toEqual({ value: 2, text: '2' });
});

it('says how much of the time programs were stopped, and by what', () => {
  const timeline = timelineOf(
    history([0, 1], {
      cpu_used_cores: band([2, 2]),
      cpu_limit_cores: band([2, 2]),
      cpu_throttled_share: band([0, 0.24])
    }),
    RANGE
  );
  const cpu = chartsOf(sample(), timeline).get('cpu');
  expect(cpu?.notes).toEqual([
    'Throttled 12 % of the time in the last 15 minutes: this server’s limit is 2 cores.'
  ]);
  expect(tell(cpu, 1)).toContain('throttled 24 %');
});

it('stacks the cache on what programs hold', () => {
  const memory = chartsOf(sample()).get('memory');
  const values = memory?.traces.map(({ look, values: [value] }) => [look, value]);
  expect(values).toEqual([
    ['stacked', 9.5 * GIB],
    ['main', 6.5 * GIB],
    ['limit', 16 * GIB]
  ]);
  expect(tell(memory)).toEqual(['cache 3.00 GiB', 'programs 6.50 GiB', 'limit 16.00 GiB']);
});

it('draws all memory in use where nobody can tell the parts', () => {
  const unknown = { anon_bytes: null, shmem_bytes: null, cache_bytes: null };
  const memory = chartsOf(sample({ memory: unknown })).get('memory');
  expect(tell(memory)).toEqual(['in use 8.00 GiB', 'limit 16.00 GiB']);
});

it('says why the utilization of a slice is not known, in place of a line', () => {
  const slice = gpu(2, {
    uuid: 'MIG-2',
    name: 'NVIDIA A100 MIG 2g.20gb',
    scope: 'mig',
    utilization: null,
    reason: reason('mig_no_utilization')
  });
  const chart = chartsOf(sample({ gpus: [slice] })).get('MIG-2');
  expect(chart?.value).toBe('17.2 of 20 GiB');
  expect(chart?.notes).toEqual([
    'NVIDIA A100 MIG 2g.20gb: one MIG slice',
    'The driver does not report the utilization of a MIG slice.'
  ]);
  expect(chart?.traces[0]?.values).toEqual([null]);
  expect(tell(chart)).toEqual(['memory 17.20 GiB']);
});

it('still shows a GPU that only the history knows, for as long as it is seen', () => {
  const { uuid, index, name, scope, memory_total_bytes } = gpu(7);
  const known = { uuid, index, name, scope, memory_total_bytes };
  const former = [known];
  expect(chartsOf(sample(), undefined, former).has(uuid)).toBe(false);
  const timeline = timelineOf(
    history([0], {
      gpus: [{ ...known, utilization: band([0.5]), memory_used_bytes: band([GIB]) }]
    }),
    RANGE
  );
  const charts = chartsOf(sample({ gpus: [gpu(0)] }), timeline, former);
  expect(charts.get(uuid)).toMatchObject({
    title: 'NVIDIA A100',
    value: 'no longer here',
    summary:
      'utilization: mean 50 %, from 50 % to 50 %; memory: mean 1.00 GiB, from 1.00 GiB to 1.00 GiB'
  });
});

it('shows how full each place for files is, and why one is not known', () => {
  const place = {
    path: '/home/jovyan',
    used_bytes: 40 * GIB,
    limit_bytes: 100 * GIB,
    scope: 'quota',
    time: null,
    reason: null
  } as const;
  const disks = [
    { ...place, name: 'home' as const },
    {
      ...place,
      name: 'tmp' as const,
      path: '/tmp',
      scope: 'filesystem' as const,
      used_bytes: null,
      reason: reason('some_disk_reason')
    }
  ];
  const disk = chartsOf(sample({ disks })).get('disk');
  expect(disk?.value).toBe('40 % full');
  expect(disk?.traces.map(({ now }) => now)).toEqual(['40.0 of 100 GiB', 'not known', '']);
  expect(disk?.traces[0]?.values).toEqual([0.4]);
  expect(disk?.traces[1]?.values).toEqual([null]);
  expect(disk?.notes).toEqual(['English for some_disk_reason']);
  expect(disk?.hint).toContain('/tmp: the whole file system, neighbours included');
});

it('makes one line of two places on one file system', () => {
  const place = {
    path: '/',
    used_bytes: 40 * GIB,
    limit_bytes: 100 * GIB,
    scope: 'filesystem',
    time: null,
    reason: null
  } as const;
  const disk = (limit: number): IChart | undefined =>
    chartsOf(
      sample({
        disks: [
          { ...place, name: 'home' },
          { ...place, name: 'tmp', limit_bytes: limit }
        ]
      })
    ).get('disk');
  const labels = (limit: number): string[] | undefined =>
    disk(limit)?.traces.map(({ label }) => label);
  expect(labels(100 * GIB)).toEqual(['home and temporary files', 'limit']);
  expect(disk(100 * GIB)?.value).toBe('40.0 of 100 GiB');
  expect(labels(99 * GIB)).toEqual(['home', 'temporary files', 'limit']);
});

it('tells received from sent, and whose traffic it is', () => {
  const network = chartsOf(sample({ network: { scope: 'machine' } })).get('network');
  expect(network?.value).toBe('1.5 KiB/s');
  expect(network?.notes).toEqual(['Traffic of the whole machine, neighbours included.']);
  expect(tell(network)).toEqual(['received 1.0 KiB/s', 'sent 500 B/s']);
});

it('tells smallest and greatest where they differ to the eye', () => {
  const timeline = timelineOf(
    history([0], { cpu_used_cores: { minimum: [0.1], mean: [1.2], maximum: [2.001] } }),
    RANGE
  );
  expect(tell(chartsOf(sample(), timeline).get('cpu'))).toEqual([
    'in use 1.20 cores (0.10 cores – 2.00 cores)'
  ]);
});

it('has no summary where there is nothing to sum up', () => {
  const cpu = { used_cores: null, reason: reason('cpu_first_sample') };
  const chart = chartsOf(sample({ cpu })).get('cpu');
  expect(chart).toMatchObject({ value: 'not known', summary: null });
});

it.each([
  [0, 0.1, 10, 0.2],
  [0.9, 0.1, 10, 1],
  [1, 0.1, 10, 2],
  [23, 0.1, 10, 50],
  [0, 1024, 2, 2048],
  [3000, 1024, 2, 4096]
] as const)('rounds %d up to something a person can read', (value, least, base, top) => {
  expect(niceAbove(value, least, base)).toBeCloseTo(top);
});
