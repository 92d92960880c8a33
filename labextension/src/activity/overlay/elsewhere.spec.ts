import { beforeEach, expect, it, vi } from 'vitest';

import { activityStatus, ago } from '../../testing/activity';
import { PlayedStream } from '../../testing/stream';
import { ActivityModel } from '../model';
import { watchElsewhere } from './elsewhere';

const over = activityStatus({ away_since: null, back_at: null, told_at: ago(100) });
const told = activityStatus({ away_since: null, back_at: null, told_at: ago(0) });

let stream: PlayedStream;
let node: EventTarget;
let leave: ReturnType<typeof vi.fn<() => void>>;
let end: () => void;

beforeEach(() => {
  stream = new PlayedStream();
  const activity = new ActivityModel(stream);
  stream.openWith('activity');
  stream.send(activityStatus({ told_at: ago(100) }));
  node = new EventTarget();
  leave = vi.fn<() => void>();
  end = watchElsewhere(activity, node, leave);
});

it('leaves once, when another window has told it', () => {
  stream.send(activityStatus({ told_at: ago(100), news: 2 }));
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

it('stays for whoever was here for so long that the absence is over', () => {
  stream.send(over);
  expect(leave).not.toHaveBeenCalled();
  stream.send(told);
  expect(leave).toHaveBeenCalledTimes(1);
});

it.each([
  ['knows nothing of it any more', { away_since: null, back_at: null, told_at: null }],
  ['learns late of another time', { told_at: ago(200) }]
])('stays where the server %s', (_, change) => {
  stream.send(activityStatus(change));
  expect(leave).not.toHaveBeenCalled();
  stream.send(told);
  expect(leave).toHaveBeenCalledTimes(1);
});

it('waits no longer than it is to', () => {
  end();
  stream.send(told);
  expect(leave).not.toHaveBeenCalled();
});
