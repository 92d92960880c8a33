import { nullTranslator } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EinfraError } from '../api/errors';
import { GIB, gpu, reason, sample } from '../testing/samples';
import type {
  IConnectionState,
  IEinfraStream,
  ISubscription,
  Snapshot,
  TopicName
} from '../tokens';
import { Format } from '../api/format';
import { UsageModel } from './model';
import { DEFAULT_SETTINGS } from './settings';

type Feature = Snapshot['features'][number];

class FakeSubscription implements ISubscription<'usage'> {
  readonly message = new Signal<this, ReturnType<typeof sample>>(this);
  isDisposed = false;

  dispose(): void {
    this.isDisposed = true;
  }
}

class FakeStream implements IEinfraStream {
  state: IConnectionState = { kind: 'idle', since: new Date() };
  snapshot: Snapshot | null = null;
  readonly stateChanged = new Signal<this, IConnectionState>(this);
  readonly snapshotChanged = new Signal<this, Snapshot>(this);
  readonly subscriptions: FakeSubscription[] = [];

  subscribe<T extends TopicName>(topic: T): ISubscription<T> {
    expect(topic).toBe('usage');
    const subscription = new FakeSubscription();
    this.subscriptions.push(subscription);
    return subscription as unknown as ISubscription<T>;
  }

  keepWhileHidden(): IDisposable {
    throw new Error('Figures are for those who look.');
  }

  become(kind: IConnectionState['kind'], error?: EinfraError): void {
    this.state = { kind, since: new Date(), ...(error && { error }) };
    this.stateChanged.emit(this.state);
  }

  open(feature: Partial<Feature> = {}, refused: Snapshot['refused'] = []): void {
    this.snapshot = {
      type: 'snapshot',
      time: new Date().toISOString(),
      version: '1',
      features: [{ name: 'usage', state: 'on', reason: null, ...feature }],
      topics: ['usage'],
      refused,
      events_lost: false
    };
    this.become('open');
    this.snapshotChanged.emit(this.snapshot);
  }

  send(change: Parameters<typeof sample>[0] = {}): void {
    this.subscriptions.at(-1)?.message.emit(sample(change));
  }
}

const trans = nullTranslator.load('jupyter_einfra');

let stream: FakeStream;
let model: UsageModel;

function start(settings = DEFAULT_SETTINGS): void {
  stream = new FakeStream();
  // German writes hours as in "13:03", whatever the machine's locale is.
  model = new UsageModel({ stream, trans, format: new Format(trans, 'de'), settings });
  stream.become('connecting');
}

/** Let a sample come each second, as the server sends them. */
function run(seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    vi.advanceTimersByTime(1000);
    stream.send();
  }
}

function keys(): string[] {
  const { view } = model;
  return view.kind === 'live' ? view.figures.map(({ key }) => key) : [];
}

beforeEach(() => {
  vi.useFakeTimers({ now: new Date(2026, 10, 20, 12, 3) });
  start();
});

afterEach(() => {
  model.dispose();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('before the first sample', () => {
  it('does not flash up where the server turns out not to have it', () => {
    expect(model.view.kind).toBe('hidden');
    vi.advanceTimersByTime(999);
    expect(model.view.kind).toBe('hidden');
    stream.become(
      'refused',
      new EinfraError({ code: 'http_error', message: '', status: 404 })
    );
    vi.advanceTimersByTime(120_000);
    expect(model.view.kind).toBe('hidden');
  });

  it('says that it waits, since when and why', () => {
    vi.advanceTimersByTime(1000);
    expect(model.view).toEqual({
      kind: 'waiting',
      text: 'Usage: waiting…',
      title: 'Waiting for the first figures since 12:03.'
    });
    stream.become('lost', new EinfraError({ code: 'network_error', message: '' }));
    expect(model.view).toMatchObject({
      title: 'Waiting for the first figures since 12:03.\nThe server cannot be reached.'
    });
  });

  it('says so at once when the server has it', () => {
    stream.open();
    expect(model.view.kind).toBe('waiting');
    stream.send();
    expect(model.view.kind).toBe('live');
  });
});

describe('staleness', () => {
  beforeEach(() => {
    stream.open();
    stream.send();
  });

  it('stays live as long as samples come', () => {
    run(60);
    expect(model.view.kind).toBe('live');
  });

  it('empties after five seconds without a sample, and recovers', () => {
    vi.advanceTimersByTime(4999);
    expect(model.view.kind).toBe('live');
    vi.advanceTimersByTime(1);
    expect(model.view).toMatchObject({
      kind: 'stale',
      text: 'No data since 12:03',
      title: 'Last known figures:\nCPU: 1,0 of 2 cores\nMemory: 8,0 of 16 GiB'
    });
    stream.send();
    expect(model.view.kind).toBe('live');
  });

  it('waits for three samples where they come slowly', () => {
    stream.send({ interval_seconds: 10 });
    vi.advanceTimersByTime(29_999);
    expect(model.view.kind).toBe('live');
    vi.advanceTimersByTime(1);
    expect(model.view.kind).toBe('stale');
  });

  it('empties five seconds after a loss, however slowly samples came', () => {
    stream.send({ interval_seconds: 10 });
    stream.become('lost', new EinfraError({ code: 'network_error', message: '' }));
    vi.advanceTimersByTime(4999);
    expect(model.view.kind).toBe('live');
    vi.advanceTimersByTime(1);
    expect(model.view).toMatchObject({
      kind: 'stale',
      title: expect.stringMatching(/^The server cannot be reached\.\n/) as unknown
    });
    stream.open();
    expect(model.view.kind).toBe('stale');
    stream.send();
    expect(model.view.kind).toBe('live');
  });

  it('changes nothing while nobody looks, and counts from the return', () => {
    stream.become('hidden');
    vi.advanceTimersByTime(3_600_000);
    expect(model.view.kind).toBe('live');
    stream.become('connecting');
    vi.advanceTimersByTime(4999);
    expect(model.view.kind).toBe('live');
    vi.advanceTimersByTime(1);
    expect(model.view).toMatchObject({ kind: 'stale', text: 'No data since 12:03' });
  });
});

describe('not being there', () => {
  it.each([401, 403, 404])('shows nothing once the server answers %d', status => {
    stream.open();
    stream.send();
    const error = new EinfraError({ code: 'forbidden', message: '', status });
    stream.become('refused', error);
    expect(model.view.kind).toBe('hidden');
    stream.become('hidden');
    stream.become('connecting');
    expect(model.view.kind).toBe('hidden');
    stream.open();
    stream.send();
    expect(model.view.kind).toBe('live');
  });

  it('still says why there is no data when the server has too many pages', () => {
    const params = { limit: 1 };
    const code = 'too_many_streams';
    stream.become('refused', new EinfraError({ code, message: '', params, status: 429 }));
    vi.advanceTimersByTime(1000);
    expect(model.view).toMatchObject({
      kind: 'waiting',
      title: expect.stringContaining('at most 1 page at once') as unknown
    });
  });

  it('leaves no trace when switched off, and one quiet line when it failed', () => {
    const info = vi.spyOn(console, 'info').mockReturnValue();
    stream.open({ state: 'off', reason: reason('feature_off') });
    expect(model.view.kind).toBe('hidden');
    expect(info).not.toHaveBeenCalled();
    stream.open({ state: 'failed', reason: reason('feature_failed') });
    stream.open({ state: 'failed', reason: reason('feature_failed') });
    expect(model.view.kind).toBe('hidden');
    expect(info.mock.calls).toEqual([['jupyter-einfra: English for feature_failed']]);
    info.mockRestore();
  });

  it('shows nothing when the topic is refused', () => {
    stream.open({}, [{ topic: 'usage', reason: reason('forbidden') }]);
    expect(model.view.kind).toBe('hidden');
  });
});

describe('settings', () => {
  beforeEach(() => {
    stream.open();
    stream.send({ gpus: [gpu(0)] });
  });

  it('show what the user wants to see; the popup keeps all', () => {
    expect(keys()).toEqual(['cpu', 'memory', 'GPU-0']);
    model.settings = { ...DEFAULT_SETTINGS, showCpu: false, showGpu: false };
    expect(keys()).toEqual(['memory']);
    expect(model.allFigures.map(({ key }) => key)).toEqual(['cpu', 'memory', 'GPU-0']);
    const none = { showCpu: false, showMemory: false, showGpu: false };
    model.settings = { ...DEFAULT_SETTINGS, ...none };
    expect(model.view.kind).toBe('hidden');
  });

  it('let go of the topic while the item is hidden', () => {
    model.settings = { ...DEFAULT_SETTINGS, show: false };
    expect(model.view.kind).toBe('hidden');
    expect(stream.subscriptions.map(({ isDisposed }) => isDisposed)).toEqual([true]);
    model.settings = DEFAULT_SETTINGS;
    expect(stream.subscriptions.map(({ isDisposed }) => isDisposed)).toEqual([true, false]);
  });

  it('ask for nothing where the item is hidden from the start', () => {
    model.dispose();
    start({ ...DEFAULT_SETTINGS, show: false });
    expect(stream.subscriptions).toEqual([]);
  });
});

it('announces changes of a level, and only those', () => {
  const heard = new Set<string>();
  model.stateChanged.connect(({ announcement }) => void heard.add(announcement));
  stream.open();
  for (const gib of [8, 13, 13.1, 13.2, 15.4, 15.5, 8, 8.1]) {
    stream.send({ memory: { working_set_bytes: gib * GIB } });
  }
  expect([...heard]).toEqual([
    '',
    'Memory near its limit: 13,0 of 16 GiB',
    'Memory near its limit: 15,4 of 16 GiB',
    'Memory: 8,0 of 16 GiB'
  ]);
});
