import { expect, it } from 'vitest';

import { target } from './keys';

it.each([
  ['ArrowLeft', null, 9],
  ['ArrowLeft', 5, 4],
  ['ArrowLeft', 0, 0],
  ['ArrowRight', 9, 9],
  ['ArrowDown', null, 9],
  ['ArrowDown', 5, 4],
  ['ArrowUp', 5, 6],
  ['PageUp', 5, 0],
  ['PageDown', 5, 9],
  ['Home', 5, 0],
  ['End', null, 9],
  ['Escape', 5, null],
  ['Escape', null, undefined],
  ['a', 5, undefined]
] as const)('%s leads from %s to %s', (key, from, to) => {
  expect(target(key, from, 9)).toBe(to);
});
