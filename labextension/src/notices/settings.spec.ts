import { expect, it } from 'vitest';

import schema from '../../schema/notices.json';
import { DEFAULT_SETTINGS, kindOf } from './settings';

it('has the same defaults with and without a settings registry', () => {
  const defaults = Object.entries(schema.properties).map(([key, value]) => [
    key,
    value.default
  ]);
  expect(Object.fromEntries(defaults)).toEqual(DEFAULT_SETTINGS);
});

it.each([
  ['memory_trend', 'showMemory'],
  ['kernel_out_of_memory', 'showDeaths'],
  ['process_out_of_memory', 'showDeaths'],
  ['previous_run_killed', 'showPreviousRun'],
  ['gpu_unused', 'showGpu'],
  ['idle_day', 'showIdle'],
  ['app_idle', 'showApps'],
  ['run_finished', 'runMinutes'],
  ['run_failed', 'runMinutes'],
  ['run_died', 'runMinutes'],
  ['lottery_won', null]
])('knows which setting switches %s off', (code, kind) => {
  expect(kindOf(code)).toBe(kind);
});
