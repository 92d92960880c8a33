import { expect, it } from 'vitest';

import { levelOf, type Level } from './level';

it.each<[number | null, Level, number, boolean, Level]>([
  [0.79, 'normal', 80, true, 'normal'],
  [0.8, 'normal', 80, true, 'warning'],
  [0.95, 'normal', 80, true, 'critical'],
  // What kills nothing never turns red.
  [1.2, 'warning', 80, false, 'warning'],
  // It takes a little more than a touch to leave a level.
  [0.785, 'warning', 80, true, 'warning'],
  [0.779, 'warning', 80, true, 'normal'],
  [0.94, 'critical', 80, true, 'critical'],
  [0.929, 'critical', 80, true, 'warning'],
  [0.785, 'critical', 80, true, 'warning'],
  // A later warning makes the red later, not sooner.
  [0.96, 'normal', 98, true, 'normal'],
  [0.98, 'normal', 98, true, 'critical'],
  [1, 'critical', 0, true, 'normal'],
  [null, 'critical', 80, true, 'normal']
])(
  'share %s after %s, warning from %s %%, kills: %s, is %s',
  (share, before, warn, kills, level) => {
    expect(levelOf(share, before, warn, kills)).toBe(level);
  }
);
