import { expect, it } from 'vitest';

import { rangeWith } from './ranges';

it.each([
  [0, '15min'],
  [14 * 60, '6h'],
  [5 * 3600, '6h'],
  [3 * 86_400, '7d'],
  [80 * 86_400, '90d'],
  [400 * 86_400, '90d']
])('shows a moment %d seconds ago with some time before it', (ago, key) => {
  expect(rangeWith(ago).key).toBe(key);
});
