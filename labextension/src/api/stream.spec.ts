import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { IConnectionState, ITopicMessages, TopicName } from '../tokens';
import { EinfraError } from './errors';
import type { IPage } from './page';
import { EinfraStream } from './stream';

class FakePage implements IPage {
  visible = true;
  left = false;
  readonly visibleChanged = new Signal<this, void>(this);
  readonly online = new Signal<this, void>(this);

  show(visible: boolean): void {
    this.visible = visible;
    this.visibleChanged.emit();
  }
}

/** Time that a new page has for all its subscriptions. */
const FIRST_GATHER_MS = 500;

/** One request as the server sees it. */
interface ICall {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  accept(type?: string): void;
  reject(error: unknown): void;
  send(text: string): void;
  end(): void;
}

const SNAPSHOT =
  'event: snapshot\ndata: {"type": "snapshot", "version": "1", "features": []}\n\n';

const FORBIDDEN = new EinfraError({ code: 'forbidden', message: 'No.', status: 403 });

// A second topic, before there is a second feature.
const OTHER = 'other' as TopicName;

let page: FakePage;
let calls: ICall[];
let stream: EinfraStream;
let states: IConnectionState[];

function request(path: string, init: RequestInit): Promise<Response> {
  return new Promise((resolve, reject) => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const signal = init.signal as AbortSignal;
    const body = new ReadableStream<Uint8Array>({ start: c => void (controller = c) });
    signal.addEventListener('abort', () => {
      reject(new DOMException('aborted', 'AbortError'));
      controller?.error(new DOMException('aborted', 'AbortError'));
    });
    calls.push({
      path,
      headers: init.headers as Record<string, string>,
      signal,
      accept: (type = 'text/event-stream') => {
        resolve(new Response(body, { headers: { 'Content-Type': type } }));
      },
      reject,
      send: text => controller?.enqueue(new TextEncoder().encode(text)),
      end: () => controller?.close()
    });
  });
}

function last(): ICall {
  const call = calls.at(-1);
  if (!call) {
    throw new Error('There was no request.');
  }
  return call;
}

async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Let the present request succeed and bring the snapshot. */
async function open(): Promise<ICall> {
  await pass(FIRST_GATHER_MS);
  const call = last();
  call.accept();
  call.send(SNAPSHOT);
  await pass();
  return call;
}

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-20T12:00:00Z') });
  page = new FakePage();
  calls = [];
  states = [];
  // The longest of the random waits, so that a test knows when they are over.
  stream = new EinfraStream({ page, request, random: () => 1 });
  stream.stateChanged.connect((_, state) => void states.push(state));
});

afterEach(() => {
  stream.dispose();
  vi.useRealTimers();
});

describe('opening', () => {
  it('makes no connection while nobody listens', async () => {
    await pass(120_000);
    page.online.emit();
    await pass(120_000);
    expect(calls).toEqual([]);
    expect(stream.state.kind).toBe('idle');
  });

  it('tells one who comes later what was said last, as long as it is connected', async () => {
    const seen: string[] = [];
    const listen = (name: string): void => {
      stream.subscribe('usage').message.connect((_, message) => {
        seen.push(`${name} ${message.interval_seconds}`);
      });
    };
    listen('first');
    const call = await open();
    call.send('event: usage\ndata: {"type": "usage", "interval_seconds": 3}\n\n');
    call.send('event: usage\ndata: {"type": "usage", "interval_seconds": 4}\n\n');
    await pass();
    listen('second');
    stream.subscribe('usage').dispose();
    await pass();
    expect(seen).toEqual(['first 3', 'first 4', 'second 4']);
    call.end();
    await pass();
    listen('third');
    await pass();
    expect(seen).toHaveLength(3);
  });

  it('hands out the snapshot and the messages of the topic', async () => {
    const messages: ITopicMessages['usage'][] = [];
    const snapshots: string[] = [];
    stream.snapshotChanged.connect((_, { version }) => void snapshots.push(version));
    stream.subscribe('usage').message.connect((_, message) => void messages.push(message));
    const call = await open();
    call.send('event: usage\ndata: {"type": "usage", "interval_seconds": 3}\n\n');
    call.send(': heartbeat\n\nevent: other\ndata: {"type": "other"}\n\n');
    await pass();
    expect(call.path).toBe('stream?topics=usage');
    expect(call.headers).toEqual({ Accept: 'text/event-stream' });
    expect(snapshots).toEqual(['1']);
    expect(stream.snapshot?.version).toBe('1');
    expect(messages).toEqual([{ type: 'usage', interval_seconds: 3 }]);
    expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'open']);
  });

  it('asks once for all topics that are subscribed to together', async () => {
    stream.subscribe('usage');
    stream.subscribe(OTHER);
    stream.subscribe('usage');
    await open();
    expect(calls.map(({ path }) => path)).toEqual(['stream?topics=other%2Cusage']);
  });

  it('gathers what a new page subscribes to as its settings come in', async () => {
    const brief = stream.subscribe('usage');
    await pass(FIRST_GATHER_MS - 10);
    stream.subscribe(OTHER);
    brief.dispose();
    stream.subscribe('usage');
    await pass(9);
    expect(calls).toEqual([]);
    await pass(1);
    expect(calls.map(({ path }) => path)).toEqual(['stream?topics=other%2Cusage']);
  });

  it('gathers anew where the first who came has gone again', async () => {
    stream.subscribe('usage').dispose();
    await pass(FIRST_GATHER_MS);
    expect(calls).toEqual([]);
    stream.subscribe(OTHER);
    await pass(FIRST_GATHER_MS);
    expect(calls.map(({ path }) => path)).toEqual(['stream?topics=other']);
  });

  it('opens anew for a further topic, and not for one that is there', async () => {
    stream.subscribe('usage');
    const first = await open();
    stream.subscribe('usage');
    await pass(1000);
    expect(calls).toHaveLength(1);
    stream.subscribe(OTHER);
    await pass(20);
    expect(first.signal.aborted).toBe(true);
    expect(last().path).toBe('stream?topics=other%2Cusage');
    await open();
    expect(calls).toHaveLength(2);
    expect(stream.state.kind).toBe('open');
  });

  it('closes when the last listener goes', async () => {
    const one = stream.subscribe('usage');
    const two = stream.subscribe('usage');
    const call = await open();
    one.dispose();
    await pass(1000);
    expect(call.signal.aborted).toBe(false);
    two.dispose();
    await pass(1000);
    expect(call.signal.aborted).toBe(true);
    expect(stream.state.kind).toBe('idle');
    await pass(120_000);
    expect(calls).toHaveLength(1);
  });

  it('lets go of everything when disposed of', async () => {
    stream.subscribe('usage');
    const call = await open();
    stream.dispose();
    expect(call.signal.aborted).toBe(true);
    page.show(true);
    await pass(120_000);
    expect(calls).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('losing', () => {
  it('comes back with ever longer waits, and tells since when it is lost', async () => {
    stream.subscribe('usage');
    (await open()).end();
    await pass();
    const since = stream.state.since;
    expect(stream.state).toMatchObject({ kind: 'lost', error: { code: 'stream_ended' } });
    const waits = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (const [at, wait] of waits.entries()) {
      await pass(wait - 1);
      expect(calls, `before wait ${at} is over`).toHaveLength(at + 1);
      await pass(1);
      expect(calls, `after wait ${at}`).toHaveLength(at + 2);
      last().reject(new TypeError('Failed to fetch'));
      await pass();
    }
    expect(stream.state).toEqual({
      kind: 'lost',
      since,
      error: expect.objectContaining({ code: 'network_error', status: null }) as unknown
    });
  });

  it('spreads the attempts of many pages', async () => {
    stream.dispose();
    stream = new EinfraStream({ page, request, random: () => 0 });
    stream.subscribe('usage');
    (await open()).end();
    await pass(374);
    expect(calls).toHaveLength(1);
    await pass(1);
    expect(calls).toHaveLength(2);
  });

  it('waits shortly again after a connection that held', async () => {
    stream.subscribe('usage');
    (await open()).end();
    for (const wait of [500, 1000, 2000]) {
      await pass(wait);
      last().reject(new TypeError('Failed to fetch'));
      await pass();
    }
    await pass(4000);
    const call = await open();
    await pass(10_000);
    call.end();
    await pass(500);
    expect(calls).toHaveLength(6);
  });

  it('does not hammer a server that accepts and hangs up', async () => {
    stream.subscribe('usage');
    (await open()).end();
    for (let attempt = 0; attempt < 7; attempt++) {
      await pass(30_000);
      last().accept();
      last().send(SNAPSHOT);
      last().end();
      await pass();
    }
    const count = calls.length;
    await pass(29_999);
    expect(calls).toHaveLength(count);
  });

  it('gives up a connection that has been silent for 45 s', async () => {
    stream.subscribe('usage');
    const call = await open();
    await pass(44_999);
    call.send(': heartbeat\n\n');
    await pass(44_999);
    expect(call.signal.aborted).toBe(false);
    await pass(1);
    expect(call.signal.aborted).toBe(true);
    expect(stream.state).toMatchObject({ kind: 'lost', error: { code: 'stream_silent' } });
    await pass(500);
    expect(calls).toHaveLength(2);
  });

  it('gives up a request that is never answered', async () => {
    stream.subscribe('usage');
    await pass(FIRST_GATHER_MS);
    await pass(45_000);
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(stream.state).toMatchObject({ kind: 'lost', error: { code: 'stream_silent' } });
  });

  it('comes back at once when the network does', async () => {
    stream.subscribe('usage');
    await open();
    last().end();
    for (const wait of [500, 1000, 2000]) {
      await pass(wait);
      last().reject(new TypeError('Failed to fetch'));
      await pass();
    }
    expect(calls).toHaveLength(4);
    page.online.emit();
    await pass();
    expect(calls).toHaveLength(5);
    await open();
    page.online.emit();
    await pass();
    expect(calls).toHaveLength(5);
  });

  it('sends the id of the last event that it got', async () => {
    stream.subscribe('usage');
    const call = await open();
    call.send('id: 41\nevent: usage\ndata: {}\n\n');
    call.send('event: usage\ndata: {}\n\n');
    await pass();
    call.end();
    await pass(500);
    expect(last().headers['Last-Event-ID']).toBe('41');
    (await open()).end();
    await pass(1000);
    expect(last().headers['Last-Event-ID']).toBe('41');
  });

  it.each([
    ['a page instead of a stream', 'text/html', '<html>'],
    ['data that is not JSON', 'text/event-stream', 'event: usage\ndata: {\n\n']
  ])('counts %s as lost', async (_, type, text) => {
    stream.subscribe('usage');
    await pass(FIRST_GATHER_MS);
    last().accept(type);
    last().send(text);
    await pass();
    expect(stream.state).toMatchObject({
      kind: 'lost',
      error: { code: 'stream_unreadable' }
    });
  });
});

describe('being refused', () => {
  it('asks again only once a minute, and says why', async () => {
    stream.subscribe('usage');
    await pass(FIRST_GATHER_MS);
    last().reject(FORBIDDEN);
    await pass();
    expect(stream.state).toMatchObject({ kind: 'refused', error: FORBIDDEN });
    await pass(59_999);
    expect(calls).toHaveLength(1);
    await pass(1);
    expect(calls).toHaveLength(2);
    expect(stream.state.kind).toBe('refused');
    await open();
    expect(stream.state.kind).toBe('open');
    expect(stream.state.error).toBeUndefined();
  });

  it('treats a failing server as lost, not as a refusal', async () => {
    stream.subscribe('usage');
    await pass(FIRST_GATHER_MS);
    last().reject(new EinfraError({ code: 'http_error', message: '', status: 503 }));
    await pass();
    expect(stream.state.kind).toBe('lost');
    await pass(500);
    expect(calls).toHaveLength(2);
  });
});

describe('a hidden page', () => {
  it('has no connection, and one as soon as it is seen', async () => {
    stream.subscribe('usage');
    const call = await open();
    page.show(false);
    expect(call.signal.aborted).toBe(true);
    expect(stream.state.kind).toBe('hidden');
    page.online.emit();
    await pass(120_000);
    expect(calls).toHaveLength(1);
    page.show(true);
    expect(calls).toHaveLength(2);
    expect(stream.state.kind).toBe('connecting');
    await open();
    expect(stream.state.kind).toBe('open');
  });

  it('does not try again while hidden', async () => {
    stream.subscribe('usage');
    (await open()).end();
    await pass();
    page.show(false);
    await pass(120_000);
    expect(calls).toHaveLength(1);
    page.show(true);
    expect(calls).toHaveLength(2);
  });

  it('opens nothing at first where it begins hidden', async () => {
    page.visible = false;
    stream.subscribe('usage');
    await pass(1000);
    expect(calls).toEqual([]);
    expect(stream.state.kind).toBe('hidden');
  });

  it('carries what is kept and no more, and goes on as before when it is seen', async () => {
    stream.subscribe('usage');
    const seen: string[] = [];
    stream.subscribe('notices').message.connect((_, { type }) => void seen.push(type));
    const kept = stream.keepWhileHidden('notices');
    await open();
    expect(last().path).toBe('stream?topics=notices%2Cusage');
    page.show(false);
    const hidden = await open();
    expect(hidden.path).toBe('stream?topics=notices');
    hidden.send('event: notices\ndata: {"type": "notices", "notices": []}\n\n');
    await pass();
    expect(seen).toEqual(['notices']);
    expect(stream.state.kind).toBe('hidden');
    page.show(true);
    await open();
    expect(last().path).toBe('stream?topics=notices%2Cusage');
    expect(stream.state.kind).toBe('open');
    page.show(false);
    await open();
    kept.dispose();
    await pass(1000);
    expect(last().signal.aborted).toBe(true);
    expect(stream.state.kind).toBe('hidden');
  });

  it('tries again in silence what is kept', async () => {
    stream.subscribe('notices');
    stream.keepWhileHidden('notices');
    page.show(false);
    const call = await open();
    call.end();
    await pass(60_000);
    expect(calls.length).toBeGreaterThan(1);
    expect(stream.state.kind).toBe('hidden');
  });

  it('is open at once where the same was carried while it was hidden', async () => {
    stream.subscribe('notices');
    stream.keepWhileHidden('notices');
    page.show(false);
    await open();
    page.show(true);
    expect(calls).toHaveLength(1);
    expect(stream.state.kind).toBe('open');
  });

  it('lets go of all of it when the page is left', async () => {
    stream.subscribe('notices');
    stream.keepWhileHidden('notices');
    await open();
    page.left = true;
    page.show(false);
    await pass(60_000);
    expect(last().signal.aborted).toBe(true);
    expect(calls).toHaveLength(1);
  });
});
