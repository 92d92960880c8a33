import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { app, instance } from '../testing/apps';
import { PlayedStream } from '../testing/stream';
import { AppsModel, badgeOf, isAlive, type App } from './model';

function played(): { stream: PlayedStream; model: AppsModel; send: (apps: App[]) => void } {
  const stream = new PlayedStream();
  const model = new AppsModel(stream);
  return {
    stream,
    model,
    send: apps => {
      stream.send({ type: 'apps', apps, wishes: [] });
    }
  };
}

it('asks for nothing before somebody wants to know, and for no more afterwards', () => {
  const { model, stream, send } = played();
  expect(stream.topics).toEqual([]);
  model.follow(true);
  model.follow(true);
  expect(stream.topics).toEqual(['apps']);
  send([app()]);
  expect(model.isReady).toBe(true);
  model.follow(false);
  expect(stream.topics).toEqual([]);
  expect(model.installed).toEqual([]);
  expect(model.isReady).toBe(false);
});

it('offers what is installed and nothing else', () => {
  const { model, send } = played();
  model.follow(true);
  send([app(), app({ name: 'tensorboard', installed: false })]);
  expect(model.installed.map(({ name }) => name)).toEqual(['vscode']);
  expect(model.app('tensorboard')?.installed).toBe(false);
  expect(model.app('nope')).toBeNull();
});

it('offers nothing where the server has the feature off', () => {
  const { model, stream, send } = played();
  model.follow(true);
  send([app({ instances: [instance()] })]);
  let changes = 0;
  model.changed.connect(() => {
    changes++;
  });
  stream.openWith('apps', 'off');
  expect(changes).toBe(1);
  expect(model.installed).toEqual([]);
  expect(model.instances).toEqual([]);
});

it('lists what runs or failed, and not what was stopped', () => {
  const { model, send } = played();
  model.follow(true);
  send([
    app({ instances: [instance({ id: 'a' }), instance({ id: 'b', state: 'stopped' })] }),
    app({ name: 'tensorboard', instances: [instance({ id: 'c', state: 'failed' })] })
  ]);
  expect(model.instances.map(({ id }) => id)).toEqual(['a', 'c']);
  expect(model.instance('b')?.state).toBe('stopped');
  expect(model.instance('nope')).toBeNull();
});

it('does not list what failed because it is not installed', () => {
  const { model, send } = played();
  model.follow(true);
  const failed = instance({ id: 'a', state: 'failed' });
  const running = instance({ id: 'b' }); // and was removed since
  send([app({ installed: false, instances: [failed, running] })]);
  expect(model.instances.map(({ id }) => id)).toEqual(['b']);
});

it.each([
  [[], null],
  [['stopped'], null],
  [['starting'], 'starting'],
  [['running', 'stopped'], 'running'],
  [['running', 'starting'], 'running'],
  [['stopping'], 'starting'],
  [['running', 'failed'], 'failed']
] as const)('marks a tile of %s as %s', (states, badge) => {
  const instances = states.map(state => instance({ state }));
  expect(badgeOf(app({ instances }))).toBe(badge);
});

describe('while the server is away', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('knows nothing after a while, and until the server tells anew', () => {
    const { model, stream, send } = played();
    model.follow(true);
    const running = app({ instances: [instance()] });
    send([running]);
    stream.become('lost');
    const { since } = stream.state;
    vi.advanceTimersByTime(4_000);
    stream.become('refused'); // neither better nor worse
    expect(model.badge(running)).toBe('running');
    vi.advanceTimersByTime(2_000);
    expect(model.lostSince).toEqual(since);
    expect(model.badge(running)).toBe('unknown');
    expect(model.badge(app())).toBeNull();
    stream.openWith('apps');
    expect(model.lostSince).toEqual(since);
    send([running]);
    expect(model.lostSince).toBeNull();
    expect(model.badge(running)).toBe('running');
  });

  it.each(['open', 'hidden'] as const)('says nothing of one that is over: %s', kind => {
    const { model, stream, send } = played();
    model.follow(true);
    send([app()]);
    stream.become('lost');
    vi.advanceTimersByTime(4_000);
    stream.become(kind);
    vi.advanceTimersByTime(60_000);
    expect(model.lostSince).toBeNull();
  });
});

it('takes what stops for alive until it has', () => {
  expect(isAlive(instance({ state: 'stopping' }))).toBe(true);
  expect(isAlive(instance({ state: 'stopped' }))).toBe(false);
  expect(isAlive(instance({ state: 'failed' }))).toBe(false);
});
