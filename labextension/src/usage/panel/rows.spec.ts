import { nullTranslator } from '@jupyterlab/translation';
import { expect, it } from 'vitest';

import type { components } from '../../api/schema';
import { GIB, reason } from '../../testing/samples';
import { Format } from '../../api/format';
import { Rows } from './rows';

type Program = components['schemas']['Program'];

const trans = nullTranslator.load('jupyter_einfra');
const rows = new Rows(trans, new Format(trans, 'en'));
const NOW = new Date(2026, 10, 20, 12, 0);

function kernel(change: Partial<Program> = {}): Program {
  return {
    kind: 'kernel',
    id: 'k1',
    name: 'train.ipynb',
    path: 'work/train.ipynb',
    language: 'python3',
    pid: 4711,
    cpu_cores: 1.84,
    memory_bytes: 11.8 * GIB,
    processes: 1,
    threads: 62,
    gpu_memory_bytes: 2 * GIB,
    gpu_reason: null,
    state: 'busy',
    since: new Date(2026, 10, 20, 10, 0).toISOString(),
    reason: null,
    ...change
  };
}

it('says what a kernel uses and since when it is busy', () => {
  expect(rows.of([kernel()], NOW)[0]).toMatchObject({
    name: 'train.ipynb',
    nameHint: 'work/train.ipynb\npython3\n1 process, 62 threads, PID 4711',
    cpu: '1.8',
    memory: '11.8 GiB',
    gpu: '2.0 GiB',
    threads: '62',
    state: 'busy 2 hr',
    stateHint: 'busy since 10:00 AM'
  });
});

it('names what belongs to no notebook, after all that does', () => {
  const programs = [
    kernel({ kind: 'other', id: 'other' }),
    kernel({ kind: 'server', id: 'server' }),
    kernel({ kind: 'terminal', id: '1', name: 'terminal 1' }),
    kernel()
  ];
  expect(rows.of(programs, NOW).map(({ name }) => name)).toEqual([
    'terminal 1',
    'train.ipynb',
    'Other programs',
    'JupyterLab itself'
  ]);
});

it('says why a figure is missing, and never 0', () => {
  const unknown = kernel({
    cpu_cores: null,
    memory_bytes: null,
    gpu_memory_bytes: null,
    reason: reason('one'),
    gpu_reason: reason('two'),
    state: null
  });
  expect(rows.of([unknown], NOW)[0]).toMatchObject({
    cpu: '–',
    memory: '–',
    gpu: '–',
    hint: 'English for one',
    gpuHint: 'English for two',
    state: ''
  });
});

it('shows a state that it has no word for as it is', () => {
  const [row] = rows.of([kernel({ state: 'mending', since: null })], NOW);
  expect(row?.state).toBe('mending');
});

it('shows odd names on one line, in their own direction, and not without end', () => {
  const name = `\u202egpj.${'x'.repeat(200)}.ipynb`;
  const [row] = rows.of([kernel({ name, path: name })], NOW);
  expect(row?.name).not.toContain('\u202e');
  expect(row?.nameHint).not.toContain('\u202e');
  expect(row?.name.length).toBeLessThan(50);
});

it('says why other programs may use more than the limit counts', () => {
  const [other] = rows.of([kernel({ kind: 'other' })], NOW);
  expect(other?.nameHint).toContain('the limit may count fewer');
});
