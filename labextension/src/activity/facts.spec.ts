import { nullTranslator } from '@jupyterlab/translation';
import { expect, it } from 'vitest';

import { fact } from '../testing/activity';
import { GIB } from '../testing/samples';
import { tell } from './facts';

const trans = nullTranslator.load('jupyter_einfra');

/** All of it on one line. */
function line(...given: Parameters<typeof fact>): string {
  const { code, details, name, text } = tell(fact(...given), trans);
  return [name === null ? '' : `${name}:`, text, code, details]
    .filter(part => part !== '')
    .join(' ');
}

it.each([
  [
    'kernel_out_of_memory',
    { used_bytes: 16 * GIB, limit_bytes: 16 * GIB, restarted: 1, times: 2 },
    14,
    'train.ipynb: its kernel was killed, memory reached 16.0 of 16 GiB. Cell [14] was running. It was restarted; its variables are lost. It happened 2 times.'
  ],
  [
    'run_failed',
    { error: 'KeyError', text: "'station_id'", seconds: 720, times: 1 },
    4,
    "train.ipynb: cell [4] failed. KeyError: 'station_id' It had run for 12 min."
  ],
  [
    'run_failed',
    { error: 'KeyboardInterrupt', text: '', seconds: 2 },
    null,
    'train.ipynb: a cell failed. KeyboardInterrupt'
  ],
  [
    'run_failed',
    { error: 'KeyError', text: '', seconds: 2, times: 3, others: 1 },
    null,
    'train.ipynb: a cell failed. KeyError It happened 3 times. 1 other error followed.'
  ],
  [
    'run_failed',
    { error: 'KeyError', text: '', seconds: 2, times: 1, others: 24 },
    null,
    'train.ipynb: a cell failed. KeyError 24 other errors followed.'
  ],
  [
    'run_failed',
    { error: 'KeyError', text: '', seconds: 2, times: 1, others: 0 },
    null,
    'train.ipynb: a cell failed. KeyError'
  ],
  [
    'run_lost',
    { seconds: 90_000 },
    2,
    'train.ipynb: the server ended while cell [2] ran. It had run for 1 day 1 hr.'
  ],
  [
    'runs_finished',
    { cells: 9, longest_seconds: 20_880, failed: 0 },
    null,
    'train.ipynb: 9 cells ran, the longest for 5 hr 48 min. No errors.'
  ],
  [
    'runs_finished',
    { cells: 9, longest_seconds: 20_880, failed: 2 },
    null,
    'train.ipynb: 9 cells ran, the longest for 5 hr 48 min. 2 of them failed.'
  ],
  [
    'run_stopped',
    { seconds: 59.7, why: 'interrupted' },
    null,
    'train.ipynb: interrupted after 1 min.'
  ],
  [
    'files_changed',
    { saved: 3, renamed: 0, copied: 0, deleted: 1, names: 'a.py\nb\u202ec.py' },
    null,
    'train.ipynb: 3 saved, 1 deleted: a.py, b c.py'
  ],
  // the words of notices
  ['lottery_won', {}, null, 'Message of lottery_won.']
])('tells of %s', (code, params, count, expected) => {
  expect(line(code, { params, execution_count: count })).toBe(expected);
});

it('names a file that is gone, and a kernel that has none', () => {
  expect(line('kernel_died', { path: null, params: { name: 'Console 1' } })).toContain(
    'Console 1: its kernel died'
  );
});

it('tells hostile names as names', () => {
  const name = `<img src=x>\u202e\n${'y'.repeat(500)}.ipynb`;
  const told = tell(fact('kernel_died', { path: `a/${name}` }), trans).name ?? '';
  expect(told).toMatch(/^<img src=x> +y+…y+\.ipynb$/);
  expect(told.length).toBeLessThan(50);
});

it('tells in English what a newer server knows', () => {
  // A figure that the words need is not there.
  expect(line('runs_finished')).toContain('Message of runs_finished.');
});
