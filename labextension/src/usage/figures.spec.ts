import { nullTranslator } from '@jupyterlab/translation';
import { beforeEach, describe, expect, it } from 'vitest';

import { GIB, gpu, reason, sample } from '../testing/samples';
import { Figures, type IFigure } from './figures';
import { Format } from '../api/format';
import { DEFAULT_SETTINGS } from './settings';

const trans = nullTranslator.load('jupyter_einfra');

let figures: Figures;

beforeEach(() => {
  figures = new Figures(trans, new Format(trans, 'en'));
});

function show(change: Parameters<typeof sample>[0]): IFigure[] {
  return figures.of(sample(change), DEFAULT_SETTINGS);
}

describe('CPU and memory', () => {
  it('tells what is used, what it covers and who set the limit', () => {
    const [cpu, memory] = show({
      memory: { scope: 'machine', source: 'psutil', limit_source: 'machine' }
    });
    expect(cpu).toEqual({
      key: 'cpu',
      kind: 'cpu',
      label: 'CPU',
      compact: '1.0/2',
      extra: '',
      share: 0.5,
      level: 'normal',
      summary: 'CPU: 1.0 of 2 cores',
      notes: [
        'Covers this container; read from cgroup v2.',
        'The limit is set by the control group.'
      ],
      rows: [{ name: 'CPU', used: '1.00 cores', limit: '2', share: '50 %' }]
    });
    expect(memory).toMatchObject({
      compact: '8.0/16 GiB',
      summary: 'Memory: 8.0 of 16 GiB',
      notes: [
        'Covers the whole machine; read from the operating system (psutil).',
        'Nobody set a limit: it is the size of the machine.'
      ],
      rows: [{ name: 'Memory', used: '8.00 GiB', limit: '16 GiB', share: '50 %' }]
    });
  });

  it('tells why a figure is not known, and never that it is 0', () => {
    const [cpu, memory] = show({
      cpu: { used_cores: null, reason: reason('cpu_first_sample') },
      memory: {
        working_set_bytes: null,
        limit_bytes: null,
        reason: reason('from a newer server')
      }
    });
    expect(cpu).toMatchObject({ compact: '–', share: null, summary: 'CPU: not known' });
    expect(cpu?.notes[0]).toMatch(/^CPU use is a difference between two readings/);
    expect(cpu?.rows).toEqual([{ name: 'CPU', used: '–', limit: '2', share: '–' }]);
    expect(memory).toMatchObject({ compact: '–', share: null, level: 'normal' });
    expect(memory?.notes[0]).toBe('English for from a newer server');
  });

  it('shows use without a limit', () => {
    const [cpu, memory] = show({
      cpu: { limit_cores: null },
      memory: { limit_bytes: null }
    });
    expect(cpu).toMatchObject({ compact: '1.0', share: null });
    expect(memory).toMatchObject({ compact: '8.0 GiB', share: null });
  });

  it('says in words that memory is near its limit, and what to do', () => {
    const [, memory] = show({ memory: { working_set_bytes: 15.4 * GIB } });
    expect(memory).toMatchObject({
      level: 'critical',
      summary: 'Memory near its limit: 15.4 of 16 GiB'
    });
    expect(memory?.notes[0]).toContain('shut down kernels that you do not need');
  });

  it('finds nothing wrong with a busy CPU, unless asked to', () => {
    const usage = sample({ cpu: { used_cores: 2 } });
    expect(figures.of(usage, DEFAULT_SETTINGS)[0]?.level).toBe('normal');
    const settings = { ...DEFAULT_SETTINGS, warnCpuPercent: 90 };
    expect(figures.of(usage, settings)[0]?.level).toBe('warning');
  });

  it('leaves a level later than it enters it', () => {
    const level = (gib: number): string | undefined =>
      show({ memory: { working_set_bytes: gib * GIB } })[1]?.level;
    expect([12.7, 12.9, 12.7, 12.4].map(level)).toEqual([
      'normal',
      'warning',
      'warning',
      'normal'
    ]);
  });
});

describe('GPUs', () => {
  it('shows memory and utilization', () => {
    expect(show({ gpus: [gpu(0)] })[2]).toMatchObject({
      label: 'GPU',
      compact: '17.2/20 GiB',
      extra: '63 %',
      share: 0.86,
      level: 'normal',
      summary: 'GPU: 17.2 of 20 GiB, utilization 63 %',
      notes: ['NVIDIA A100', 'Covers the whole GPU; read from NVML.'],
      rows: [
        { name: 'GPU memory', used: '17.20 GiB', limit: '20 GiB', share: '86 %' },
        { name: 'GPU utilization', used: '', limit: '', share: '63 %' }
      ]
    });
  });

  it('says that a MIG slice has no utilization', () => {
    const slice = gpu(0, {
      scope: 'mig',
      utilization: null,
      reason: reason('mig_no_utilization')
    });
    expect(show({ gpus: [slice] })[2]).toMatchObject({
      extra: '',
      summary: 'GPU: 17.2 of 20 GiB',
      notes: [
        'NVIDIA A100',
        'The driver does not report the utilization of a MIG slice.',
        'Covers one MIG slice; read from NVML.'
      ]
    });
  });

  it('falls back on utilization where memory is not known', () => {
    const blind = gpu(0, { memory_used_bytes: null, memory_total_bytes: null });
    expect(show({ gpus: [blind] })[2]).toMatchObject({
      compact: '63 %',
      extra: '',
      share: 0.63
    });
  });

  it('tells several apart, and the slices of one', () => {
    const gpus = [gpu(0), gpu(1, { uuid: 'a' }), gpu(1, { uuid: 'b' })];
    const labels = show({ gpus }).map(({ label }) => label);
    expect(labels.slice(2)).toEqual(['GPU 0', 'GPU 1, slice 1', 'GPU 1, slice 2']);
  });

  it.each(['nvml_missing', 'nvml_off', 'nvml_starting'])('shows none for %s', code => {
    expect(show({ gpu_status: { reason: reason(code) } })).toHaveLength(2);
  });

  it('says why none can be read where there should be some', () => {
    expect(show({ gpu_status: { reason: reason('nvml_failed') } })[2]).toMatchObject({
      label: 'GPU',
      compact: '–',
      summary: 'GPU: not known'
    });
  });
});
