import type { components } from '../api/schema';

type Schemas = components['schemas'];

/** One figure that is the same in its smallest, mean and greatest value. */
export function band(values: readonly (number | null)[]): Schemas['Band'] {
  return { minimum: [...values], mean: [...values], maximum: [...values] };
}

/** A history of the given points, with nothing known but what `change` says. */
export function history(
  offsets: readonly number[],
  change: Partial<Schemas['UsageHistory']> = {}
): Schemas['UsageHistory'] {
  const unknown = (): Schemas['Band'] => band(offsets.map(() => null));
  return {
    since: '2026-11-20T11:45:00Z',
    until: '2026-11-20T12:00:00Z',
    resolution_seconds: 1,
    gap_seconds: 30,
    offsets_seconds: [...offsets],
    cpu_used_cores: unknown(),
    cpu_limit_cores: unknown(),
    cpu_throttled_share: unknown(),
    memory_working_set_bytes: unknown(),
    memory_anon_shmem_bytes: unknown(),
    memory_cache_bytes: unknown(),
    memory_limit_bytes: unknown(),
    home_used_bytes: unknown(),
    home_limit_bytes: unknown(),
    tmp_used_bytes: unknown(),
    tmp_limit_bytes: unknown(),
    network_received_bytes_per_second: unknown(),
    network_sent_bytes_per_second: unknown(),
    gpus: [],
    events: [],
    runs: [],
    reason: null,
    ...change
  };
}
