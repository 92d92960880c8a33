import { expect, it } from 'vitest';

import { css, paletteOf, type Rgba } from './colours';

const KNOWN: Record<string, Rgba> = {
  '--jp-brand-color1': [25, 118, 210, 1],
  '--jp-error-color1': [211, 47, 47, 1],
  Highlight: [0, 0, 238, 1]
};

function resolve(colour: string): Rgba {
  return KNOWN[colour] ?? [0, 0, 0, 0.87];
}

it('takes its colours from the theme', () => {
  const palette = paletteOf(name => name, resolve, false);
  expect(palette.main).toBe('rgba(25, 118, 210, 1)');
  expect(palette.area).toBe('rgba(25, 118, 210, 0.16)');
  expect(palette.loss).toBe('rgba(211, 47, 47, 1)');
});

it('takes those of the system where the user has them forced', () => {
  expect(paletteOf(name => name, resolve, true).main).toBe('rgba(0, 0, 238, 1)');
});

it('does without a theme', () => {
  const palette = paletteOf(() => '', resolve, false);
  expect(palette.main).toBe('rgba(0, 0, 238, 1)');
  expect(palette.font).toBe('sans-serif');
});

it('makes a colour fainter than it is', () => {
  expect(css([1, 2, 3, 0.5], 0.5)).toBe('rgba(1, 2, 3, 0.25)');
});
