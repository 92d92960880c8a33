import { describe, expect, it } from 'vitest';

import { Timeline } from './timeline';
import { alone } from './values';

function make(change: Partial<Timeline.IOptions> = {}): Timeline {
  return new Timeline({ span: 100, resolution: 1, gap: 5, until: 1000, ...change });
}

function add(timeline: Timeline, time: number, value: number | null): void {
  timeline.append(time, new Map([['x', value]]), 1);
}

describe('what the server remembers', () => {
  it('is kept as it came', () => {
    const timeline = make();
    const column = { minimum: [1, 2], mean: [2, 3], maximum: [3, null] };
    timeline.fill([990, 991], new Map([['x', column]]));
    expect(timeline.times).toEqual([990, 991]);
    expect(timeline.column('x')).toEqual(column);
  });

  it('has a point without a value in each gap, so that no line crosses it', () => {
    const timeline = make();
    const values = [1, 2, 3, 4];
    const column = { minimum: values, mean: values, maximum: values };
    timeline.fill([950, 951, 957, 990], new Map([['x', column]]));
    expect(timeline.times).toEqual([950, 951, 952, 957, 958, 990]);
    expect(timeline.column('x').mean).toEqual([1, 2, null, 3, null, 4]);
  });

  it('is nothing for a figure that nobody ever saw', () => {
    const timeline = make();
    timeline.fill([990], new Map());
    expect(timeline.column('y').mean).toEqual([null]);
    expect(timeline.knows('y')).toBe(false);
    expect(timeline.summary('y')).toBeNull();
  });
});

describe('the samples that follow', () => {
  it('are points of their own where points stand for a second', () => {
    const timeline = make();
    // They come a little early or late.
    [1000.3, 1001.28, 1002.31].forEach((time, index) => {
      add(timeline, time, index);
    });
    expect(timeline.times).toEqual([1000.3, 1001.28, 1002.31]);
    expect(timeline.column('x').mean).toEqual([0, 1, 2]);
  });

  it('are gathered where a point stands for more', () => {
    const timeline = make({ resolution: 10, gap: 25 });
    for (let second = 1000; second < 1015; second++) {
      add(timeline, second + 0.5, second - 1000);
    }
    expect(timeline.times).toEqual([1000, 1010]);
    expect(timeline.column('x')).toEqual({
      minimum: [0, 10],
      mean: [4.5, 12],
      maximum: [9, 14]
    });
  });

  it('go on with the last point of the history, weighed by its age', () => {
    const timeline = make({ resolution: 10, gap: 25, until: 1006 });
    const column = { minimum: [1], mean: [2], maximum: [3] };
    timeline.fill([1000], new Map([['x', column]]));
    add(timeline, 1007, 9);
    expect(timeline.column('x')).toEqual({
      minimum: [1],
      mean: [(2 * 6 + 9) / 7],
      maximum: [9]
    });
  });

  it('leave a gap where none came for long', () => {
    const timeline = make();
    add(timeline, 1000, 1);
    add(timeline, 1010, 2);
    expect(timeline.times).toEqual([1000, 1001, 1010]);
    expect(timeline.column('x').mean).toEqual([1, null, 2]);
  });

  it('are unknown where they are unknown, never 0', () => {
    const timeline = make();
    add(timeline, 1000, null);
    add(timeline, 1001, 1);
    expect(timeline.column('x').mean).toEqual([null, 1]);
  });

  it('may bring a figure that was not there before', () => {
    const timeline = make();
    add(timeline, 1000, 1);
    timeline.append(1001, new Map([['gpu', 5]]), 1);
    expect(timeline.column('gpu').mean).toEqual([null, 5]);
    expect(timeline.column('x').mean).toEqual([1, null]);
  });

  it('push the oldest out of sight', () => {
    const timeline = make({ span: 10 });
    for (let second = 1000; second <= 1020; second++) {
      add(timeline, second, second);
    }
    expect(timeline.since).toBe(1010);
    // One more, so that the line begins at the edge.
    expect(timeline.times[0]).toBe(1009);
    expect(timeline.column('x').mean).toHaveLength(timeline.times.length);
  });

  it('go into the last point when the clock goes back', () => {
    const timeline = make();
    add(timeline, 1000, 1);
    add(timeline, 990, 3);
    expect(timeline.times).toEqual([1000]);
    expect(timeline.column('x').mean).toEqual([2]);
    expect(timeline.until).toBe(1000);
  });
});

it('sums up what is known', () => {
  const timeline = make();
  [1, null, 3].forEach((value, index) => {
    add(timeline, 1000 + index, value);
  });
  expect(timeline.summary('x')).toEqual({ minimum: 1, mean: 2, maximum: 3 });
});

it('finds the point nearest to a time', () => {
  const timeline = make();
  expect(timeline.nearest(5)).toBeNull();
  [1000, 1001, 1002].forEach(time => {
    add(timeline, time, 1);
  });
  expect([0, 1000.6, 5000].map(time => timeline.nearest(time))).toEqual([0, 1, 2]);
});

it('finds points that no line would show', () => {
  expect(alone([1, null, 2, 3, null, 0])).toEqual([0, 5]);
  expect(alone([])).toEqual([]);
});
