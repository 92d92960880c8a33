import { DisposableDelegate } from '@lumino/disposable';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Remembered } from '../api/remembered';
import { notice } from '../testing/notices';
import type { ISaid, Notice } from './model';
import { Outside } from './outside';

let shown: string[];
let kept: number;
let asked: number;
let seen: Remembered;
let begin: (() => () => void) | null;
let outside: Outside;

function said(id: string, severity: Notice['severity'] = 'warning'): ISaid {
  return { notice: notice(id, { severity }), text: `${id} happened` };
}

/** The turn of this tab comes. */
function take(): () => void {
  return begin?.() ?? (() => undefined);
}

beforeEach(() => {
  vi.useFakeTimers();
  [shown, kept, asked, begin] = [[], 0, 0, null];
  seen = new Remembered(null, 'seen');
  outside = new Outside({
    seen,
    told: new Remembered(null, 'told'),
    allow: () => asked++,
    keep: () => {
      kept++;
      return new DisposableDelegate(() => kept--);
    },
    turn: work => {
      let end: (() => void) | null = null;
      begin = () => (end = work());
      return () => end?.();
    },
    show: (_, text) => void shown.push(text)
  });
});

afterEach(() => {
  vi.useRealTimers();
});

it('does nothing unless it is wanted', () => {
  outside.isWanted = false;
  outside.follow([said('a')]);
  vi.runAllTimers();
  expect([asked, kept, shown]).toEqual([0, 0, []]);
});

it('tells each warning once, in the tab whose turn it is', () => {
  outside.isWanted = true;
  outside.isWanted = true;
  outside.follow([said('early')]);
  vi.runAllTimers();
  expect([asked, kept, shown]).toEqual([1, 0, []]);
  take();
  expect(kept).toBe(1);
  outside.follow([said('a'), said('small', 'info')]);
  vi.runAllTimers();
  outside.follow([said('a'), said('b', 'error')]);
  vi.runAllTimers();
  expect(shown).toEqual(['a happened', 'b happened']);
  outside.follow([said('a', 'error')]);
  vi.runAllTimers();
  expect(shown).toHaveLength(3); // it is worse
});

it('leaves to another tab what somebody sees there', () => {
  outside.isWanted = true;
  take();
  outside.follow([said('a')]);
  seen.add([['a', 2]]);
  vi.runAllTimers();
  expect(shown).toEqual([]);
});

it('says nothing any more once the page is looked at', () => {
  outside.isWanted = true;
  take();
  outside.follow([said('a')]);
  outside.stop();
  vi.runAllTimers();
  expect(shown).toEqual([]);
});

it('lets go when it is not wanted any more', () => {
  outside.isWanted = true;
  take();
  outside.isWanted = false;
  expect(kept).toBe(0);
  outside.follow([said('a')]);
  vi.runAllTimers();
  expect(shown).toEqual([]);
});

it('tells what was asked for, though it weighs little', () => {
  outside.isWanted = true;
  take();
  outside.follow([
    said('news', 'info'),
    { notice: notice('run', { code: 'run_finished', severity: 'info' }), text: 'done' }
  ]);
  vi.runAllTimers();
  expect(shown).toEqual(['done']);
});
