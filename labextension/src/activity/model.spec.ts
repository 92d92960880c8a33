import { describe, expect, it } from 'vitest';

import { activityStatus, ago } from '../testing/activity';
import { PlayedStream } from '../testing/stream';
import { ActivityModel, isWorthTelling } from './model';
import { DEFAULT_SETTINGS } from './settings';

const short = { away_since: ago(1) };

describe('a user who comes back', () => {
  it.each([
    ['after hours, to news', {}, {}, true],
    ['after hours, to nothing', { news: 0 }, {}, false],
    ['after an hour, to news', short, {}, false],
    ['after an hour, to trouble', { ...short, attention: 1 }, {}, true],
    ['after a time of their own', short, { awayHours: 1 }, true],
    [
      'after an hour, to trouble that can wait',
      { ...short, attention: 1 },
      { attention: false },
      false
    ],
    ['who was never away', { away_since: null, attention: 1 }, {}, false],
    ['and is not told when', { back_at: null }, {}, true],
    ['who does not want it', { attention: 1 }, { show: false }, false]
  ])('%s', (_, status, settings, expected) => {
    const told = isWorthTelling(activityStatus(status), {
      ...DEFAULT_SETTINGS,
      ...settings
    });
    expect(told).toBe(expected);
  });
});

it('is offered once the server has said so, and until it says otherwise', () => {
  const stream = new PlayedStream();
  const model = new ActivityModel(stream);
  expect(model.isOffered).toBe(false);
  stream.openWith('activity');
  stream.send(activityStatus());
  expect(model.isOffered).toBe(true);
  stream.openWith('activity', 'off');
  expect(model.isOffered).toBe(false);
});
