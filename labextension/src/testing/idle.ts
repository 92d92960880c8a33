import type { components } from '../api/schema';

type Schemas = components['schemas'];

/** What the examples count from. */
export const NOW = new Date(2026, 10, 24, 14, 5);

/** So many hours from then, as it crosses the wire. */
export function hours(count: number): string {
  return new Date(NOW.getTime() + count * 3_600_000).toISOString();
}

/** A server that an estimate gives until Friday. */
export function idleStatus(
  change: Partial<Schemas['IdleStatus']> = {}
): Schemas['IdleStatus'] {
  return {
    type: 'idle',
    time: hours(0),
    level: 'kept',
    policy: {
      revision: '2026',
      text: 'Unused servers are deleted.',
      rule: {
        metric: 'cpu_cores',
        threshold: 0.1,
        idle_at_threshold: false,
        averaging_seconds: 300,
        lookback_seconds: 86_400,
        evaluation_seconds: 86_400,
        counter_limit: 5
      }
    },
    reason: null,
    source: 'estimate',
    sources: [
      {
        name: 'file',
        time: null,
        reason: { code: 'idle_file_missing', message: '', params: {} }
      },
      { name: 'estimate', time: hours(0), reason: null }
    ],
    delete_at: hours(61.9),
    is_estimate: true,
    counter: 2,
    counter_limit: 5,
    evaluated_at: hours(-10.1),
    next_evaluation_at: hours(13.9),
    used_at: hours(-50),
    day_maximum: 0.0042,
    unseen: [],
    extension: null,
    ...change
  };
}

/** The same with five days of figures: a little use, long ago. */
export function idleReport(
  status: Partial<Schemas['IdleStatus']> = {},
  change: Partial<Schemas['IdleReport']> = {}
): Schemas['IdleReport'] {
  return {
    status: idleStatus(status),
    since: hours(-60),
    step_seconds: 1200,
    values: Array.from({ length: 180 }, (_, index) =>
      index < 30 ? 1.7 * Math.abs(Math.sin(index / 3)) : 0.002 + (index % 7) * 0.0004
    ),
    evaluations: [
      { time: hours(-58.1), counter: 0, used: true, known: true },
      { time: hours(-34.1), counter: 1, used: false, known: true },
      { time: hours(-10.1), counter: 2, used: false, known: false },
      { time: hours(13.9), counter: 3, used: false, known: false },
      { time: hours(37.9), counter: 4, used: false, known: false },
      { time: hours(61.9), counter: 5, used: false, known: false }
    ],
    ...change
  };
}
