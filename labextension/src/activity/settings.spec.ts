import { expect, it } from 'vitest';

import schema from '../../schema/activity.json';
import { DEFAULT_SETTINGS } from './settings';

it('has the same defaults with and without a settings registry', () => {
  const defaults = Object.entries(schema.properties).map(([key, value]) => [
    key,
    value.default
  ]);
  expect(Object.fromEntries(defaults)).toEqual(DEFAULT_SETTINGS);
});
