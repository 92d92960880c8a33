import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { GIB } from '../testing/samples';
import { describe as say } from './messages';
import type { Params } from './errors';

const trans = nullTranslator.load('jupyter_einfra');

/** A name that would break a page, a sentence or a terminal if it could. */
const HOSTILE = '<svg onload=f()>\u202e\u0000\n%1.ipynb';

const UNSEEN = /\p{Cc}|\p{Bidi_Control}/u;

function text(code: string, params: Params = {}, message = 'English.'): string {
  return say({ code, message, params }, trans);
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(new Date(2026, 10, 20, 9, 0));
});

afterEach(() => {
  vi.useRealTimers();
});

it('fills the figures of a known code in', () => {
  expect(text('gpu_unreadable', { error: 'it is busy' })).toBe(
    'This GPU cannot be read: it is busy'
  );
});

it('counts', () => {
  expect(text('nvml_not_answering', { seconds: 1 })).toMatch(/ for 1 second\./);
  expect(text('nvml_not_answering', { seconds: 41.7 })).toMatch(/ for 42 seconds\./);
});

it.each(['from_the_future', 'toString', 'constructor', '__proto__'])(
  'falls back on the English message for %s',
  code => {
    const message = 'What a newer server says.';
    expect(text(code, {}, message)).toBe(message);
  }
);

describe('figures as a person reads them', () => {
  const time = new Date(2026, 10, 20, 3, 12).toISOString();
  const soon = new Date(2026, 10, 23, 4, 0).toISOString();
  const memory = { used_bytes: 14.8 * GIB, limit_bytes: 16 * GIB };
  const biggest = { name: 'train.ipynb', kernel_bytes: 11.8 * GIB };

  it.each<[string, Params, RegExp]>([
    ['memory_high', memory, /^14\.8 of 16 GiB of memory in use; .*killed\.$/],
    [
      'memory_high',
      { ...memory, ...biggest },
      /killed\. Biggest: train.ipynb, 11\.8 GiB\.$/
    ],
    ['memory_high', { ...memory, name: 'a.ipynb' }, / Biggest: a\.ipynb\.$/],
    [
      'memory_trend',
      { ...memory, ...biggest, seconds: 40, bytes_per_second: (0.9 * GIB) / 60 },
      /grows by 0\.9 GiB a minute; .* about 40 sec\. Biggest: train\.ipynb/
    ],
    [
      'cpu_throttled',
      { limit_cores: 2, throttled_share: 0.434, seconds: 300 },
      /^You are at your limit of 2 cores: .* last 5 min .* 43 % of their turns\.$/
    ],
    [
      'cpu_throttled',
      { limit_cores: 1, throttled_share: 0.5, seconds: 300 },
      /^You are at your limit of 1 core: /
    ],
    [
      'disk_full',
      { disk: 'home', path: '/home/jovyan', used_bytes: 98 * GIB, limit_bytes: 100 * GIB },
      /^Your home is nearly full: 98\.0 of 100 GiB\./
    ],
    [
      'disk_full',
      {
        disk: 'home',
        scope: 'filesystem',
        path: '/home/jovyan',
        used_bytes: 98 * GIB,
        limit_bytes: 100 * GIB
      },
      /^The disk of \/home\/jovyan is nearly full: 98\.0 of 100 GiB\./
    ],
    [
      'disk_full',
      { disk: 'tmp', path: '/tmp', used_bytes: 9.8 * GIB, limit_bytes: 10 * GIB },
      /^The disk of \/tmp is nearly full: 9\.8 of 10 GiB\./
    ],
    ['gpu_unused', { index: 0, name: 'A40', hours: 12 }, /^GPU 0 \(A40\) .* 12 hr\./],
    [
      'kernel_out_of_memory',
      { name: 'a.ipynb', time, used_bytes: 16 * GIB, limit_bytes: 16 * GIB, restarted: 1 },
      /^Kernel of a\.ipynb was killed \(3:12.AM\): memory reached 16\.0 of 16 GiB\.$/
    ],
    [
      'kernel_machine_out_of_memory',
      { name: 'a.ipynb', time, restarted: 1 },
      /\(3:12.AM\): the whole machine ran out of memory\.$/
    ],
    [
      'kernel_killed',
      { name: 'a.ipynb', time, memory_known: 1 },
      /not for want of memory\.$/
    ],
    ['kernel_killed', { name: 'a.ipynb', time, memory_known: 0 }, /memory is not known\.$/],
    [
      'kernel_crashed',
      { name: 'a.ipynb', time, signal: 11, signal_name: 'SIGSEGV' },
      /^Kernel of a\.ipynb crashed \(3:12.AM, SIGSEGV\)\.$/
    ],
    ['kernel_exited', { name: 'a.ipynb', time, exit_code: 3 }, /with exit status 3\.$/],
    ['kernel_died', { name: 'a.ipynb', time }, /died \(3:12.AM\)\. Why is not known\.$/],
    ['process_out_of_memory', { time }, /^A process was killed for want of memory \(3:12/],
    [
      'process_out_of_memory',
      { time, name: 'b.ipynb' },
      /^A process of b\.ipynb was killed/
    ],
    [
      'previous_run_out_of_memory',
      { ended: time, ...memory, kernels: 'a.ipynb, b.ipynb' },
      /^Your server was killed \(3:12.AM\): memory had reached 14\.8 of 16 GiB\. .*: a.ipynb, b.ipynb\.$/
    ],
    ['previous_run_out_of_memory', {}, /^Your server was killed: it ran out of memory\.$/],
    ['previous_run_killed', { ended: time }, /^Your server was killed \(3:12.AM\); why/],
    ['run_stopped', { ended: time }, /^The server was stopped \(3:12.AM\)\.$/],
    [
      'run_killed',
      { ended: time, used_bytes: GIB },
      /last seen: 3:12.AM\. .*: 1\.0 GiB\.$/
    ],
    ['run_out_of_memory', { ended: time, ...memory }, /AM\. .*: 14\.8 of 16 GiB\.$/],
    ['run_out_of_memory', { ended: time }, /want of memory; last seen: 3:12.AM\.$/],
    [
      'idle_counted',
      { counter: 2, counter_limit: 5, end: soon, estimate: 1 },
      /^Found unused up to 2 of 5 times\. .* may be .* from Mon 4:00.AM on \(estimate\)\.$/
    ],
    [
      'idle_counted',
      { counter: 2, counter_limit: 5, end: soon, estimate: 0 },
      /^Found unused 2 of 5 times\. .* will be deleted \(Mon 4:00.AM\)\.$/
    ],
    [
      'idle_day',
      { end: soon, estimate: 1, metric: 'cpu_cores', threshold: 0.1, maximum: 0.0042 },
      /from Mon 4:00.AM on \(estimate\)\. Use: 0\.1 cores\. Last day: up to 0\.0042\.$/
    ],
    [
      'idle_day',
      { end: soon, estimate: 0, metric: 'gpu_busy_share', threshold: 0.005 },
      /unless it is used \(Mon 4:00.AM\)\. Use: GPU busy 0\.5 %\.$/
    ],
    [
      'idle_hour',
      { end: soon, estimate: 0, metric: 'cpu_cores', threshold: 0.1, maximum: 0 },
      /within the hour \(Mon 4:00.AM\)\. Use: 0\.1 cores\. Last day: up to 0\.$/
    ],
    ['idle_state_old', { time }, /too old to be relied on \(3:12.AM\)\.$/],
    ['disk_not_answering', { path: '/home', since: time }, /since 3:12.AM\.$/]
  ])('%s %o', (code, params, expected) => {
    expect(text(code, params)).toMatch(expected);
    // Lab cuts a notification after that.
    expect(text(code, params).length).toBeLessThanOrEqual(140);
  });

  it('tells the day of what was not today', () => {
    const when = new Date(2026, 10, 17, 14, 5).toISOString();
    expect(text('kernel_died', { name: 'a.ipynb', time: when })).toMatch(
      /died \(Tue.*2:05.PM\)/
    );
  });

  it.each<[string, Params]>([
    ['memory_high', {}],
    ['memory_high', { used_bytes: 'much', limit_bytes: 1 }],
    ['kernel_died', { name: 'a.ipynb' }],
    ['kernel_died', { time }],
    ['kernel_died', { name: 'a.ipynb', time: 'yesterday' }],
    ['kernel_crashed', { name: 'a.ipynb', time }]
  ])('takes the English message where %s lacks a figure: %o', (code, params) => {
    expect(text(code, params)).toBe('English.');
  });
});

describe('texts of others', () => {
  const time = new Date().toISOString();

  it('are only text, on one line, in the order in which they are written', () => {
    const said = text('kernel_died', { name: HOSTILE, time });
    expect(said).toContain('<svg onload=f()>   %1.ipynb');
    expect(text('gpu_unreadable', { error: HOSTILE })).not.toMatch(UNSEEN);
    expect(text('unheard_of', {}, `${HOSTILE} died`)).not.toMatch(UNSEEN);
  });

  it('are cut so that beginning and end can be told', () => {
    const name = `${'n'.repeat(5000)}-final.ipynb`;
    const said = text('kernel_died', { name, time });
    expect(said).toMatch(/^Kernel of n+…n*-final\.ipynb died/);
    expect(said.length).toBeLessThanOrEqual(140);
    expect(text('gpu_unreadable', { error: name }).length).toBeLessThan(400);
    expect(text('unheard_of', {}, 'm'.repeat(9999)).length).toBeLessThan(600);
  });

  it('are not cut within a character', () => {
    const name = '🦆'.repeat(60);
    expect(text('kernel_died', { name, time })).toMatch(/^Kernel of (🦆)+…(🦆)+ died/u);
  });
});

it('writes figures in the language of the texts', () => {
  const czech = Object.assign(Object.create(trans) as typeof trans, {
    getLocale: () => 'cs-CZ'
  });
  const params = { used_bytes: 14.8 * GIB, limit_bytes: 16 * GIB };
  expect(say({ code: 'memory_high', message: '', params }, czech)).toMatch(
    /^14,8 of 16 GiB/
  );
});
