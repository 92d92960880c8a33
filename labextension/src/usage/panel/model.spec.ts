import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { EinfraError } from '../../api/errors';
import { band, history } from '../../testing/history';
import { reason, sample } from '../../testing/samples';
import { PlayedStream } from '../../testing/stream';
import type { ITopicMessages } from '../../tokens';
import { Format } from '../../api/format';
import { DEFAULT_SETTINGS } from '../settings';
import { Columns } from './columns';
import { PanelModel } from './model';
import { RANGES } from './ranges';

const trans = nullTranslator.load('jupyter_einfra');
const START = new Date('2026-11-20T12:00:00Z');

let stream: PlayedStream;
let model: PanelModel;
let asked: string[];
let answers: (() => Response)[];

function refuse(): Response {
  throw new EinfraError({ code: 'not_yet', message: '', status: 503 });
}

function details(
  change: Partial<ITopicMessages['usage-details']> = {}
): ITopicMessages['usage-details'] {
  return {
    type: 'usage-details',
    time: START.toISOString(),
    interval_seconds: 1,
    programs: [],
    programs_reason: null,
    gpus: [],
    previous_run: null,
    history_reason: null,
    ...change
  };
}

/** Let one sample come, so many seconds after the start. */
function tick(second: number, used = 1): void {
  vi.setSystemTime(START.getTime() + 1000 * second);
  const time = new Date().toISOString();
  stream.send({ ...sample({ cpu: { used_cores: used } }), time });
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

function used(): (number | null)[] {
  return model.history.timeline.column(Columns.cpuUsed).mean;
}

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  stream = new PlayedStream();
  asked = [];
  answers = [];
  model = new PanelModel({
    stream,
    request: path => {
      asked.push(path);
      return Promise.resolve().then(answers.shift() ?? refuse);
    },
    trans,
    format: new Format(trans, 'de'),
    settings: () => DEFAULT_SETTINGS
  });
});

afterEach(() => {
  model.dispose();
  expect(stream.topics).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function remember(
  change: Parameters<typeof history>[1] = {},
  offsets = [897, 898, 899]
): void {
  answers.push(() => Response.json(history(offsets, change)));
}

it('asks for nothing before anybody looks', () => {
  expect(asked).toEqual([]);
  expect(stream.topics).toEqual([]);
});

it('follows while it is seen, and lets go when it is hidden', async () => {
  remember();
  model.show();
  expect(stream.topics).toEqual(['notices', 'usage', 'usage-details']);
  await settle();
  model.hide();
  expect(stream.topics).toEqual([]);
});

it('asks for the history once, and goes on by itself', async () => {
  remember({ cpu_used_cores: band([1, 2, 3]) });
  model.show();
  await settle();
  for (let second = 1; second <= 60; second++) {
    tick(second, second);
  }
  expect(asked).toEqual([
    `usage/history?since=${encodeURIComponent('2026-11-20T11:45:00.000Z')}`
  ]);
  expect(used().slice(0, 5)).toEqual([1, 2, 3, 1, 2]);
  expect(used()).toHaveLength(63);
});

it('loses no sample that comes while the history is under way', async () => {
  remember({ cpu_used_cores: band([1, 2, 3]) });
  model.show();
  tick(1, 10);
  tick(2, 20);
  await settle();
  tick(3, 30);
  expect(used()).toEqual([1, 2, 3, 10, 20, 30]);
});

it('asks again where samples were missed, and only then', async () => {
  remember();
  model.show();
  await settle();
  tick(1);
  tick(12);
  await settle();
  expect(asked).toHaveLength(1);
  remember();
  tick(100);
  await settle();
  expect(asked).toHaveLength(2);
});

it('asks by the clock of the server', async () => {
  remember();
  model.show();
  await settle();
  const ahead = new Date(START.getTime() + 3_600_000).toISOString();
  stream.send({ ...sample(), time: ahead });
  await settle();
  remember();
  await model.load();
  expect(decodeURIComponent(asked.at(-1) ?? '')).toContain('12:45:00');
});

it('shows the last answer where ranges were changed quickly', async () => {
  remember();
  model.show();
  await settle();
  remember({ resolution_seconds: 10 });
  remember({ resolution_seconds: 600 });
  model.range = RANGES[1];
  model.range = RANGES[2];
  await settle();
  expect(model.history.range.key).toBe('7d');
  expect(model.history.timeline.resolution).toBe(600);
});

it('draws points that stand for long only now and then', async () => {
  remember();
  model.show();
  remember({ resolution_seconds: 600, gap_seconds: 1500 }, [0]);
  model.range = RANGES[2];
  await settle();
  tick(0);
  const before = model.history.version;
  for (let second = 1; second < 60; second++) {
    tick(second);
  }
  expect(model.history.version - before).toBe(1);
});

it('shows guests what is happening, and why nothing more', async () => {
  answers.push(() => {
    throw new EinfraError({ code: 'forbidden', message: '', status: 403 });
  });
  model.show();
  await settle();
  tick(1, 0.5);
  tick(2, 0.7);
  expect(used()).toEqual([0.5, 0.7]);
  expect(model.historyTrouble.join()).toContain('Only the owner');
});

it('says what happened where there is no history, and recovers', async () => {
  model.show();
  await settle();
  expect(model.historyTrouble).toEqual([
    'The history cannot be shown.',
    'The server has only just started; its first figures follow.'
  ]);
  remember({ cpu_used_cores: band([1, 2, 3]) });
  await model.load();
  expect(model.historyTrouble).toEqual([]);
  expect(used()).toEqual([1, 2, 3]);
});

it('says what it waits for, and when data stopped', async () => {
  remember();
  model.show();
  await settle();
  expect(model.trouble[0]).toMatch(/^Waiting for the first figures since/);
  tick(0);
  expect(model.trouble).toEqual([]);
  stream.become('lost', new EinfraError({ code: 'network_error', message: '' }));
  vi.advanceTimersByTime(5000);
  expect(model.trouble[0]).toMatch(/^No data since/);
  expect(model.trouble[1]).toBe('The server cannot be reached.');
  tick(6);
  expect(model.trouble).toEqual([]);
});

it('shows notices about usage, and drops those that are over', async () => {
  remember();
  model.show();
  await settle();
  const notice = {
    id: '1',
    time: START.toISOString(),
    feature: 'usage',
    severity: 'warning' as const,
    code: 'unheard_of',
    message: 'Memory is short.',
    params: {},
    kernel_id: null,
    path: null
  };
  const other = { ...notice, id: '2', feature: 'idle' };
  stream.send({ type: 'notices', notices: [notice, other] });
  expect(model.notices).toEqual([notice]);
  stream.send({ type: 'notices', notices: [] });
  expect(model.notices).toEqual([]);
});

it('says why programs are not listed', async () => {
  remember();
  model.show();
  await settle();
  stream.open('on', [{ topic: 'usage-details', reason: reason('feature_off') }]);
  expect(model.detailsTrouble).not.toBeNull();
  stream.send(details());
  expect(model.detailsTrouble).toBeNull();
  model.hide();
  // Old ones are not shown again.
  expect(model.details).toBeNull();
});
