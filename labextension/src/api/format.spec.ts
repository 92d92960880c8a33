import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { GIB } from '../testing/samples';
import { Format } from './format';

const MIB = 2 ** 20;

const trans = nullTranslator.load('jupyter_einfra');
const english = new Format(trans, 'en');
const czech = new Format(trans, 'cs-CZ');

describe('cores', () => {
  it.each([
    [0.4, 2, '0.4/2', '0.4 of 2 cores'],
    [0.004, 1, '0.0/1', '0.0 of 1 core'],
    [0.2, 0.25, '0.2/0.25', '0.2 of 0.25 cores'],
    [12.34, 64, '12.3/64', '12.3 of 64 cores'],
    [1.9, null, '1.9', '1.9 cores']
  ])('writes %d of %d', (used, limit, compact, words) => {
    expect(english.compactCores(used, limit)).toBe(compact);
    expect(english.cores(used, limit)).toBe(words);
  });

  it('is exact where it is asked to be', () => {
    expect(english.cores(1.934, 2, 2)).toBe('1.93 of 2 cores');
    expect(english.cores(1.934, null, 2)).toBe('1.93 cores');
  });
});

describe('bytes', () => {
  it.each([
    [3.1 * GIB, 16 * GIB, '3.1/16 GiB', '3.1 of 16 GiB'],
    [16 * GIB, 16 * GIB, '16.0/16 GiB', '16.0 of 16 GiB'],
    [0.1 * GIB, 15.62 * GIB, '0.1/15.6 GiB', '0.1 of 15.6 GiB'],
    [48 * MIB, 16 * GIB, '48.0 MiB/16 GiB', '48.0 MiB of 16 GiB'],
    [0, 16 * GIB, '0.0/16 GiB', '0.0 of 16 GiB'],
    [312 * MIB, 512 * MIB, '312.0/512 MiB', '312.0 of 512 MiB'],
    [1000 * GIB, 1.5 * 1024 * GIB, '1.0/1.5 TiB', '1.0 of 1.5 TiB'],
    [3.1 * GIB, null, '3.1 GiB', '3.1 GiB']
  ])('writes %d of %d', (used, limit, compact, words) => {
    expect(english.compactBytes(used, limit)).toBe(compact);
    expect(english.bytes(used, limit)).toBe(words);
  });

  it('is exact where it is asked to be', () => {
    expect(english.size(12.413 * GIB, 2)).toBe('12.41 GiB');
    expect(english.limitSize(15.624 * GIB, 2)).toBe('15.62 GiB');
    expect(english.limitSize(16 * GIB, 2)).toBe('16 GiB');
  });

  it('writes single bytes without a fraction', () => {
    expect(english.size(0)).toBe('0 B');
    expect(english.size(921)).toBe('921 B');
  });

  it.each([
    [1000, '1.0 KiB'],
    [1024, '1.0 KiB'],
    [921 * MIB, '921.0 MiB'],
    [921.6 * MIB, '0.9 GiB'],
    [950 * MIB, '0.9 GiB'],
    [1000 * GIB, '1.0 TiB'],
    [5000 * 1024 * GIB, '4.9 PiB']
  ])('writes %d in the unit that it nearly is', (size, text) => {
    expect(english.size(size)).toBe(text);
  });

  it('writes limits in the unit in which they were set', () => {
    expect(english.limitSize(1000 * MIB)).toBe('1,000 MiB');
    expect(english.bytes(950 * MIB, 1000 * MIB)).toBe('950.0 of 1,000 MiB');
    expect(english.bytes(950 * MIB, GIB)).toBe('0.9 of 1 GiB');
    expect(english.limitSize(2048 * GIB)).toBe('2 TiB');
  });
});

describe('percent', () => {
  it.each([
    [0, '0 %'],
    [0.634, '63 %'],
    [1, '100 %'],
    [1.5, '150 %']
  ])('writes %d', (share, text) => {
    expect(english.percent(share)).toBe(text);
  });
});

describe('time', () => {
  const now = new Date(2026, 10, 20, 14, 0);

  it('tells the hour alone for today', () => {
    expect(czech.time(new Date(2026, 10, 20, 12, 3), now)).toBe('12:03');
  });

  it('tells the day of this week, also just after midnight', () => {
    expect(english.time(new Date(2026, 10, 17, 14, 5), now)).toMatch(/^Tue.* 2:05/);
    expect(english.time(new Date(2026, 10, 19, 23, 59), now)).toMatch(/^Thu\b/);
  });

  it('tells the date before that', () => {
    expect(english.time(new Date(2026, 10, 13, 14, 5), now)).toMatch(/^Nov 13/);
  });

  it('has the day of what is to come, too', () => {
    expect(english.time(new Date(2026, 10, 21, 4, 0), now)).toMatch(/^Sat\b/);
    expect(english.time(new Date(2026, 10, 27, 4, 0), now)).toMatch(/^Nov 27/);
  });
});

describe('duration', () => {
  it.each([
    [0, '0 sec'],
    [40.4, '40 sec'],
    [89, '89 sec'],
    [90, '2 min'],
    [300, '5 min'],
    [3 * 3600, '3 hr'],
    [36 * 3600, '2 days']
  ])('writes %d seconds in one unit', (seconds, text) => {
    expect(english.duration(seconds)).toBe(text);
  });
});

it('writes decimals as the language does', () => {
  expect(czech.compactBytes(12.4 * GIB, 16 * GIB)).toBe('12,4/16 GiB');
  expect(czech.compactCores(0.2, 0.5)).toBe('0,2/0,5');
});

it.each([
  [0.2, '1 sec'],
  [59.7, '1 min'],
  [61, '1 min 1 sec'],
  [20_880, '5 hr 48 min'],
  [7199, '2 hr'],
  [86_399, '1 day'],
  [226_800, '2 days 15 hr'],
  [31 * 86_400, '31 days']
])('writes a length of %d seconds by its two greatest units', (seconds, expected) => {
  const format = new Format(nullTranslator.load('jupyter_einfra'), 'en');
  expect(format.length(seconds)).toBe(expected);
});
