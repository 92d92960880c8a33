import type { components } from '../api/schema';

type Schemas = components['schemas'];

/** When the examples are looked at. */
export const NOW = new Date(2026, 10, 27, 8, 42);

/** So many hours before, as it crosses the wire. */
export function ago(hours: number): string {
  return new Date(NOW.getTime() - hours * 3_600_000).toISOString();
}

/** A user who was away for 63 hours. */
export function activityStatus(
  change: Partial<Schemas['ActivityStatus']> = {}
): Schemas['ActivityStatus'] {
  return {
    type: 'activity',
    time: ago(0),
    away_since: ago(63),
    back_at: ago(0),
    told_at: null,
    attention: 0,
    news: 1,
    recording: true,
    awaited: [],
    ...change
  };
}

/** A fact about a notebook. */
export function fact(code: string, change: Partial<Schemas['Fact']> = {}): Schemas['Fact'] {
  const { params, ...rest } = change;
  return {
    id: code,
    code,
    message: `Message of ${code}.`,
    params: { name: 'train.ipynb', ...params },
    time: ago(1),
    severity: 'info',
    path: 'data/train.ipynb',
    kernel_id: 'k1',
    cell_id: null,
    execution_count: null,
    can_restart: false,
    sources: [],
    seen: false,
    ...rest
  };
}

/** The time of a digest, without anything in it. */
export function digest(change: Partial<Schemas['Digest']> = {}): Schemas['Digest'] {
  return {
    time: ago(0),
    since: ago(63),
    until: ago(0),
    started_at: ago(19 * 24),
    sections: [],
    use: null,
    recording: true,
    reason: null,
    ...change
  };
}
