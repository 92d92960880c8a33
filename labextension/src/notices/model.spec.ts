import { describe, expect, it } from 'vitest';

import { notice } from '../testing/notices';
import {
  bannersOf,
  isTold,
  MOST_BANNERS,
  MOST_SHOWN,
  plan,
  wanted,
  weight,
  type INotebook,
  type ISaid,
  type Notice
} from './model';
import { DEFAULT_SETTINGS } from './settings';

function said(id: string, change: Partial<Notice> = {}, text = `Text of ${id}.`): ISaid {
  return { notice: notice(id, change), text };
}

function byId(...all: ISaid[]): Map<string, ISaid> {
  return new Map(all.map(one => [one.notice.id, one]));
}

/** What this browser has shown, as `plan` would have it remembered. */
function seenOf(...all: ISaid[]): Map<string, number> {
  return new Map(all.map(one => [one.notice.id, weight(one.notice)]));
}

const NOTHING = {
  show: [],
  file: [],
  change: [],
  withdraw: [],
  remember: new Map()
};

describe('a notice', () => {
  const warning = said('1');
  const held = byId(warning);
  const seen = seenOf(warning);

  it('that is new is shown and remembered', () => {
    expect(plan(new Map(), [warning], new Map())).toEqual({
      ...NOTHING,
      show: [warning],
      remember: seen
    });
  });

  it('that holds on changes nothing', () => {
    expect(plan(held, [said('1')], seen)).toEqual(NOTHING);
  });

  it('that was seen before a reload, or in another tab, is not shown', () => {
    expect(plan(new Map(), [warning], seen)).toEqual(NOTHING);
  });

  it('whose text changes is changed in place', () => {
    const changed = said('1', {}, 'Other text.');
    expect(plan(held, [changed], seen)).toEqual({
      ...NOTHING,
      change: [{ said: changed, worse: false }]
    });
  });

  it('whose figures change without showing stays as it is', () => {
    expect(plan(held, [said('1', { params: { used_bytes: 7 } })], seen)).toEqual(NOTHING);
  });

  it('that gets worse is worth to be seen again, once', () => {
    const error = said('1', { severity: 'error' });
    const worse = { ...NOTHING, remember: seenOf(error) };
    expect(plan(held, [error], seen)).toEqual({
      ...worse,
      change: [{ said: error, worse: true }]
    });
    expect(plan(new Map(), [error], seen)).toEqual({ ...worse, show: [error] });
    // Back and forth about a threshold.
    expect(plan(byId(error), [warning], seenOf(error)).change).toEqual([
      { said: warning, worse: false }
    ]);
    expect(plan(held, [error], seenOf(error)).change).toEqual([
      { said: error, worse: false }
    ]);
  });

  it('that is over is withdrawn', () => {
    expect(plan(held, [], seen)).toEqual({ ...NOTHING, withdraw: ['1'] });
  });

  it('that is on the screen in another way is only filed', () => {
    expect(plan(new Map(), [warning], new Map(), new Set(['1']))).toEqual({
      ...NOTHING,
      file: [warning],
      remember: seen
    });
  });
});

it('shows the worst and then the latest, and files what is too much', () => {
  const many = ['1', '2', '3', '4'].map(id => said(id));
  const error = said('0', { severity: 'error' });
  const todo = plan(new Map(), [error, ...many], new Map());
  expect(todo.show.map(one => one.notice.id)).toEqual(['0', '4', '3']);
  expect(todo.show).toHaveLength(MOST_SHOWN);
  expect(todo.file.map(one => one.notice.id)).toEqual(['1', '2']);
  expect(todo.remember.size).toBe(5);
});

it('comes to rest: what was done need not be done again', () => {
  const now = [said('1'), said('2', { severity: 'error' }), said('3')];
  const first = plan(byId(said('1', {}, 'Before.'), said('9')), now, new Map());
  expect(plan(byId(...now), now, first.remember)).toEqual(NOTHING);
});

describe('what the user wants', () => {
  const notices = [
    notice('1'),
    notice('2', { code: 'kernel_died' }),
    notice('3', { code: 'lottery_won' })
  ];

  it('is everything at first, also what this page has never heard of', () => {
    expect(wanted(notices, DEFAULT_SETTINGS)).toEqual(notices);
  });

  it('is less without a kind, and nothing without any', () => {
    const ids = (settings: Partial<typeof DEFAULT_SETTINGS>): string[] =>
      wanted(notices, { ...DEFAULT_SETTINGS, ...settings }).map(({ id }) => id);
    expect(ids({ showMemory: false })).toEqual(['2', '3']);
    expect(ids({ showDeaths: false })).toEqual(['1', '3']);
    expect(ids({ show: false })).toEqual([]);
  });
});

describe('banners', () => {
  const notebook = { path: 'work/a.ipynb', kernelId: 'k1' };
  const none = new Map<string, number>();

  function death(id: string, change: Partial<Notice> = {}): Notice {
    const path = 'work/a.ipynb';
    return notice(id, { code: 'kernel_killed', kernel_id: 'k1', path, ...change });
  }

  function ids(notices: Notice[], on: Partial<INotebook> = {}, dismissed = none): string[] {
    return bannersOf({ ...notebook, ...on }, notices, dismissed).map(({ id }) => id);
  }

  it('are on the notebook of the kernel, wherever it has moved', () => {
    expect(ids([death('1')])).toEqual(['1']);
    expect(ids([death('1')], { path: 'moved.ipynb' })).toEqual(['1']);
  });

  it('are on no other, nor on one that has gone on with another kernel', () => {
    expect(ids([death('1', { kernel_id: 'k2', path: 'b.ipynb' })])).toEqual([]);
    expect(ids([death('1')], { kernelId: 'k2' })).toEqual([]);
  });

  it('find a notebook that has lost its kernel by its path', () => {
    expect(ids([death('1')], { kernelId: null })).toEqual(['1']);
    expect(ids([death('1')], { kernelId: null, path: 'b.ipynb' })).toEqual([]);
    expect(ids([death('1', { path: null })], { kernelId: null })).toEqual([]);
  });

  it('are not made of warnings', () => {
    expect(ids([notice('1', { kernel_id: 'k1', path: 'work/a.ipynb' })])).toEqual([]);
  });

  it('do not come back', () => {
    expect(ids([death('1'), death('2')], {}, new Map([['2', 1]]))).toEqual(['1']);
  });

  it('are few, the latest first', () => {
    const all = ['1', '2', '3', '4', '5'].map(id => death(id));
    expect(ids(all)).toEqual(['5', '4', '3']);
    expect(ids(all)).toHaveLength(MOST_BANNERS);
  });

  it.each([
    ['work/a.ipynb', true],
    ['b.ipynb\nwork/a.ipynb', true],
    ['a.ipynb', false],
    ['other/a.ipynb', false],
    ['b, work/a.ipynb', false],
    ['', false]
  ])('tell who ran in the last run: %s', (paths, isTold) => {
    const last = notice('1', { code: 'previous_run_killed', params: { paths } });
    expect(ids([last])).toEqual(isTold ? ['1'] : []);
  });

  it('tell nobody where it is not known who ran', () => {
    expect(ids([notice('1', { code: 'previous_run_killed' })])).toEqual([]);
  });

  it('know a notebook with a comma in its name', () => {
    const params = { paths: 'b.ipynb\nx/one, two.ipynb' };
    const last = notice('1', { code: 'previous_run_killed', params });
    expect(ids([last], { path: 'x/one, two.ipynb' })).toEqual(['1']);
  });
});

describe('what is done', () => {
  const run = (asked: 0 | 1, seconds: number): Notice =>
    notice('1', { code: 'run_finished', severity: 'info', params: { asked, seconds } });

  it.each([
    ['asked for', run(1, 3), 0, true],
    ['asked for by nobody', run(0, 99_999), 0, false],
    ['long', run(0, 600), 10, true],
    ['short', run(0, 599), 10, false]
  ])('and %s', (_, done, runMinutes, expected) => {
    const told = wanted([done], { ...DEFAULT_SETTINGS, runMinutes });
    expect(told).toHaveLength(Number(expected));
    expect(wanted([done], { ...DEFAULT_SETTINGS, runMinutes, show: false })).toEqual([]);
  });
});

describe('what an overlay tells, too', () => {
  const told = { deaths: ['k1'], runs: ['k2'], until: '2026-11-27T08:00:00Z' };
  const before = '2026-11-27T07:59:59.5Z';

  it.each([
    ['a death', 'kernel_killed', 'k1', before, true],
    ['the end of a run', 'run_failed', 'k2', before, true],
    ['a notebook that will not be done', 'run_died', 'k1', before, true],
    ['a death of which only the run is told', 'kernel_killed', 'k2', before, false],
    ['a run of which only the death is told', 'run_finished', 'k1', before, false],
    ['a death of another', 'kernel_killed', 'k3', before, false],
    ['memory', 'memory_high', 'k1', before, false],
    ['a death at that moment', 'kernel_killed', 'k1', told.until, true],
    ['a later death', 'kernel_killed', 'k1', '2026-11-27T08:00:00.5Z', false]
  ])('%s', (_, code, kernel_id, time, expected) => {
    expect(isTold(notice('1', { code, kernel_id, time }), told)).toBe(expected);
  });
});
