import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { EinfraError } from '../../api/errors';
import { instance } from '../../testing/apps';
import { Follower, type LaunchEvent, type LogEvent } from './follower';

/** A server's end of the stream. */
class Server {
  readonly asked: string[] = [];
  refuses: EinfraError | null = null;

  readonly request = (path: string, init: RequestInit): Promise<Response> => {
    this.asked.push(path);
    if (this.refuses) {
      return Promise.reject(this.refuses);
    }
    const body = new ReadableStream<Uint8Array>({
      start: stream => {
        this._stream = stream;
        init.signal?.addEventListener('abort', () => {
          this.aborted++;
          stream.error(new Error('aborted'));
        });
      }
    });
    return Promise.resolve(new Response(body));
  };

  aborted = 0;

  send(event: LaunchEvent | LogEvent): void {
    const text = `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    this._stream?.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this._stream?.close();
  }

  private _stream: ReadableStreamDefaultController<Uint8Array> | null = null;
}

let server: Server;
let told: string[];
let lost: (string | null)[];
let follower: Follower;

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  told = [];
  lost = [];
  follower = new Follower({
    id: 'tensorboard/runs-1',
    request: server.request,
    onTold: event => told.push(event.instance.state),
    onPrinted: event => told.push(...event.lines),
    onLost: error => lost.push(error?.code ?? null)
  });
});

afterEach(() => {
  follower.stop();
  vi.useRealTimers();
});

function launch(state: 'starting' | 'running'): LaunchEvent {
  return { type: 'launch', instance: instance({ state }), elapsed_seconds: 0 };
}

it('tells what comes, in its order', async () => {
  follower.start();
  follower.start(); // once is enough
  await vi.advanceTimersByTimeAsync(0);
  server.send(launch('starting'));
  server.send({ type: 'log', begins: false, lines: ['one', 'two'], skipped_bytes: 0 });
  server.send(launch('running'));
  await vi.advanceTimersByTimeAsync(0);
  expect(server.asked).toEqual(['apps/launch?id=tensorboard%2Fruns-1']);
  expect(told).toEqual(['starting', 'one', 'two', 'running']);
  expect(lost).toEqual([null]);
});

it('comes back by itself when the connection ends, and says so only if it fails', async () => {
  follower.start();
  await vi.advanceTimersByTimeAsync(0);
  server.end();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(server.asked).toHaveLength(2);
  expect(lost).toEqual([null, null]);
});

it('tries again and again, more and more rarely, while the server is away', async () => {
  server.refuses = new EinfraError({ code: 'network_error', message: '' });
  follower.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.asked.length).toBeGreaterThan(5);
  expect(server.asked.length).toBeLessThan(12);
  expect(new Set(lost)).toEqual(new Set(['network_error']));
  server.refuses = null;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(lost.at(-1)).toBeNull();
});

it('lets go of the connection at once, and of what would follow', async () => {
  follower.start();
  await vi.advanceTimersByTimeAsync(0);
  follower.stop();
  expect(server.aborted).toBe(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.asked).toHaveLength(1);
  expect(lost).toEqual([null]);
});
