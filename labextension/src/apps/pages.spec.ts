import { beforeEach, expect, it } from 'vitest';

import { instance } from '../testing/apps';
import type { Instance } from './model';
import { PageLife } from './pages';

const REASON = { code: 'app_restarting', message: '', params: {} };

const runs = (started = 'one'): Instance => instance({ started });
const starts = (reason: Instance['reason'] = null): Instance =>
  instance({ state: 'starting', started: 'one', reason });
const ended = (state: 'stopped' | 'failed' = 'stopped'): Instance =>
  instance({ state, started: 'one' });

let life: PageLife;

beforeEach(() => {
  life = new PageLife();
  life.begin();
});

it('is over when the program ends, and gives way when it runs again', () => {
  expect(life.judge('none', runs())).toBe('works');
  life.arrive();
  expect(life.judge('program', runs())).toBe('works');
  expect(life.judge('program', instance({ state: 'stopping' }))).toBe('works');
  expect(life.judge('program', ended())).toBe('over');
  expect(life.isOf(ended())).toBe(false);
  expect(life.judge('program', starts())).toBe('renew');
  expect(life.judge('program', runs('two'))).toBe('renew');
  expect(life.isOf(runs('two'))).toBe(false);
});

it.each([ended('failed'), null])('is over whatever the end was', end => {
  life.judge('program', runs());
  expect(life.judge('program', end)).toBe('over');
});

it('waits when the program starts again by itself, not when somebody asked for it', () => {
  life.judge('program', runs());
  expect(life.judge('program', starts(REASON))).toBe('works');
  expect(life.judge('program', starts())).toBe('renew');
  expect(life.judge('program', runs('two'))).toBe('renew');
});

it('leaves pages of ours alone, which follow by themselves', () => {
  for (const now of [null, starts(), ended('failed'), starts(), runs('two')]) {
    expect(life.judge('ours', now)).toBe('works');
  }
});

it('is not over by news from before it came', () => {
  life.arrive();
  for (const before of [null, ended(), starts()]) {
    expect(life.judge('program', before)).toBe('works');
  }
  expect(life.judge('program', runs('two'))).toBe('works');
  expect(life.judge('program', ended())).toBe('over');
});

it('is not over by news from before a page of ours led to it', () => {
  life.judge('program', runs());
  life.judge('program', ended());
  life.arrive();
  life.judge('ours', ended()); // where the user went on to start it
  life.arrive();
  expect(life.judge('program', starts())).toBe('works');
  expect(life.judge('program', runs('two'))).toBe('works');
});

it('is over when it came too late', () => {
  life.judge('none', runs());
  life.judge('none', ended());
  life.arrive();
  expect(life.judge('program', ended())).toBe('over');
});
