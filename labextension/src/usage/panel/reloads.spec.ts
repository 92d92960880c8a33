import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { EinfraError } from '../../api/errors';
import { Format } from '../../api/format';
import { history } from '../../testing/history';
import { notice } from '../../testing/notices';
import { sample } from '../../testing/samples';
import { PlayedStream } from '../../testing/stream';
import { DEFAULT_SETTINGS } from '../settings';
import { PanelModel } from './model';

const trans = nullTranslator.load('jupyter_einfra');
const START = new Date('2026-11-20T12:00:00Z');
const LOST = new EinfraError({ code: 'network_error', message: '' });

let stream: PlayedStream;
let model: PanelModel;
let asked: string[];
let aborted: number;
let status: number;

function answer(path: string, { signal }: RequestInit): Promise<Response> {
  asked.push(decodeURIComponent(path));
  signal?.addEventListener('abort', () => {
    aborted++;
  });
  return status === 200
    ? Promise.resolve(Response.json(history([897, 898, 899])))
    : Promise.reject(new EinfraError({ code: 'not_yet', message: '', status }));
}

/** Let a sample come, taken so many seconds after the start by the server's clock. */
function send(second: number): void {
  const time = new Date(START.getTime() + 1000 * second).toISOString();
  stream.send({ ...sample(), time });
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

async function show(): Promise<void> {
  model.show();
  stream.open();
  await settle();
}

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  [stream, asked, aborted, status] = [new PlayedStream(), [], 0, 200];
  model = new PanelModel({
    stream,
    request: answer,
    trans,
    format: new Format(trans, 'en'),
    settings: () => DEFAULT_SETTINGS
  });
});

afterEach(() => {
  model.dispose();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it('asks once where all goes well, though the stream is opened anew for it', async () => {
  await show();
  stream.open();
  await settle();
  expect(asked).toHaveLength(1);
});

it.each([3600, -3600])('asks anew where its clock is %d s off', async ahead => {
  vi.setSystemTime(START.getTime() + 1000 * ahead);
  model.show();
  send(0);
  expect(aborted).toBe(1);
  await settle();
  send(1);
  await settle();
  expect(asked).toHaveLength(2);
  expect(asked[1]).toContain('2026-11-20T11:45:00');
});

it.each([300, 3600])('shows guests what is now by a clock %d s ahead', async ahead => {
  status = 403;
  vi.setSystemTime(START.getTime() + 1000 * ahead);
  await show();
  send(0);
  await settle();
  send(1);
  const { timeline } = model.history;
  expect(timeline.until).toBe(START.getTime() / 1000 + 1);
  expect(timeline.times.length).toBeGreaterThan(0);
});

it('asks again after a failure once the server is back, and not before', async () => {
  status = 503;
  await show();
  const failed = asked.length;
  status = 200;
  send(0);
  send(1);
  await settle();
  expect(asked).toHaveLength(failed);
  stream.become('lost', LOST);
  stream.open();
  await settle();
  expect(asked).toHaveLength(failed + 1);
  expect(model.historyTrouble).toEqual([]);
});

it('does not ask again for what is not for guests', async () => {
  status = 403;
  await show();
  stream.become('lost', LOST);
  stream.open();
  await settle();
  expect(asked).toHaveLength(1);
});

it('asks for the marks of what happened while the server was away', async () => {
  await show();
  stream.become('lost', LOST);
  stream.open();
  await settle();
  expect(asked).toHaveLength(2);
});

it('asks for the marks of what a new notice tells of', async () => {
  await show();
  const tell = async (...ids: string[]): Promise<void> => {
    stream.send({ type: 'notices', notices: ids.map(id => notice(id)) });
    await settle();
  };
  await tell('1');
  expect(asked).toHaveLength(1);
  await tell('1');
  expect(asked).toHaveLength(1);
  await tell('1', '2');
  expect(asked).toHaveLength(2);
});

it('does not let old figures pass for new when it is shown again', async () => {
  await show();
  send(0);
  model.hide();
  vi.advanceTimersByTime(60_000);
  await show();
  expect(model.trouble[0]).toMatch(/^No data since/);
  send(60);
  expect(model.trouble).toEqual([]);
});

it('calls nothing old while nobody sees the page', async () => {
  await show();
  send(0);
  stream.become('hidden');
  vi.advanceTimersByTime(600_000);
  stream.become('connecting');
  expect(model.trouble).toEqual([]);
  vi.advanceTimersByTime(5_000);
  expect(model.trouble[0]).toMatch(/^No data since/);
});

it('says at once why the server turned the page away', async () => {
  await show();
  send(0);
  stream.become(
    'refused',
    new EinfraError({
      code: 'http_error',
      message: '',
      params: { status: 401 },
      status: 401
    })
  );
  expect(model.trouble).toEqual(['The server answered with status 401.']);
});

it('says since when there are figures where that is well after what is seen', async () => {
  await show();
  expect(model.history.begun).toBe(START.getTime() / 1000 - 3);
});
