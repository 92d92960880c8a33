import { nullTranslator } from '@jupyterlab/translation';
import { expect, it } from 'vitest';

import { ago, digest, NOW } from '../../testing/activity';
import { GIB } from '../../testing/samples';
import { DEFAULT_SETTINGS } from '../settings';
import { DigestWords } from './words';

const words = new DigestWords(nullTranslator.load('jupyter_einfra'), 'en');

const USE = {
  known_seconds: 63 * 3600,
  scope: 'container' as const,
  cpu_core_hours: 26.31,
  gpu_hours: null,
  memory_peak_bytes: 16 * GIB,
  memory_peak_at: null,
  memory_limit_bytes: 16 * GIB,
  gpu_memory_peak_bytes: null,
  gpu_memory_total_bytes: null,
  home_used_bytes: null,
  home_limit_bytes: null
};

it.each([
  [63, 'on Tuesday at 5:42 PM, 2 days and 15 hours ago.'],
  [10, 'yesterday at 10:42 PM, 10 hours ago.'],
  [5, 'today at 3:42 AM, 5 hours ago.'],
  [24 * 20, 'on November 7 at 8:42 AM, 20 days ago.']
])('tells when the user was here: %d hours before', (hours, expected) => {
  const told = words.introduction(digest({ since: ago(hours) }), true, NOW);
  expect(told.replaceAll('\u202f', ' ')).toContain(`You were last here ${expected}`);
  expect(told).toContain('This server has been running for 19 days.');
});

it('does not claim an absence where there was none', () => {
  const told = words.introduction(digest({ since: ago(24) }), false, NOW);
  expect(told).toContain('What has happened since yesterday');
});

it('tells of use only what is known', () => {
  expect(words.use(USE, digest())).toEqual(['26.3 CPU-hours, most memory 16.0 of 16 GiB.']);
  expect(
    words.use({ ...USE, known_seconds: 40 * 3600, home_used_bytes: GIB }, digest())
  ).toEqual([
    '26.3 CPU-hours, most memory 16.0 of 16 GiB.',
    'Home: 1.0 GiB used.',
    'The figures cover 63 % of this time.'
  ]);
  expect(words.use({ ...USE, scope: 'machine' }, digest())).toEqual([
    '26.3 CPU-hours, most memory 16.0 of 16 GiB.',
    'Figures of the whole machine.'
  ]);
  const onGpu = { gpu_memory_peak_bytes: 71 * GIB, gpu_memory_total_bytes: 80 * GIB };
  expect(words.use({ ...USE, ...onGpu }, digest())).toEqual([
    '26.3 CPU-hours, most memory 16.0 of 16 GiB, most GPU memory 71.0 of 80 GiB.'
  ]);
  const nothing = {
    ...USE,
    scope: 'machine' as const,
    cpu_core_hours: null,
    memory_peak_bytes: null
  };
  expect(words.use(nothing, digest())).toEqual([]);
});

it('says what the switch does', () => {
  expect(words.showing(DEFAULT_SETTINGS)).toBe(
    'Show this after 4 hours away or when something needs attention'
  );
  expect(words.showing({ ...DEFAULT_SETTINGS, awayHours: 0.25, attention: false })).toBe(
    'Show this after 15 minutes away'
  );
});
