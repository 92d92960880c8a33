import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { activityStatus } from '../../testing/activity';
import { PlayedStream } from '../../testing/stream';
import { ActivityModel } from '../model';
import { watchElsewhere } from './elsewhere';

const told = activityStatus({ away_since: null, back_at: null });

let stream: PlayedStream;
let node: EventTarget;
let leave: ReturnType<typeof vi.fn<() => void>>;
let end: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  stream = new PlayedStream();
  const activity = new ActivityModel(stream);
  stream.openWith('activity');
  stream.send(activityStatus());
  node = new EventTarget();
  leave = vi.fn<() => void>();
  end = watchElsewhere(activity, node, leave);
});

afterEach(() => {
  vi.useRealTimers();
});

it('leaves once, when another window has told it', () => {
  stream.send(activityStatus({ news: 2 }));
  expect(leave).not.toHaveBeenCalled();
  stream.send(told);
  stream.send(told);
  expect(leave).toHaveBeenCalledTimes(1);
});

it.each(['pointermove', 'pointerdown', 'wheel', 'keydown'])(
  'stays for whoever reads here: %s',
  touch => {
    node.dispatchEvent(new Event(touch));
    stream.send(told);
    expect(leave).not.toHaveBeenCalled();
  }
);

it('stays for whoever was here for so long that the server takes them for told', () => {
  vi.advanceTimersByTime(300_000);
  stream.send(told);
  expect(leave).not.toHaveBeenCalled();
});

it('waits no longer than it is to', () => {
  end();
  stream.send(told);
  expect(leave).not.toHaveBeenCalled();
});
