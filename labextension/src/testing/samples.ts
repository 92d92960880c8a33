import type { components } from '../api/schema';

type Schemas = components['schemas'];

/** The size that all examples count in. */
export const GIB = 2 ** 30;

/** A sample of a container with half of its CPU and memory in use. */
export function sample(
  change: {
    readonly cpu?: Partial<Schemas['CpuUsage']>;
    readonly memory?: Partial<Schemas['MemoryUsage']>;
    readonly gpus?: Schemas['GpuUsage'][];
    readonly gpu_status?: Partial<Schemas['GpuStatus']>;
    readonly disks?: Schemas['DiskUsage'][];
    readonly network?: Partial<Schemas['NetworkUsage']>;
    readonly interval_seconds?: number;
  } = {}
): Schemas['UsageSnapshot'] {
  return {
    type: 'usage',
    time: '2026-11-20T12:00:00Z',
    interval_seconds: change.interval_seconds ?? 1,
    cpu: {
      used_cores: 1,
      limit_cores: 2,
      throttled_share: 0,
      scope: 'container',
      source: 'cgroup-v2',
      limit_source: 'cgroup',
      reason: null,
      ...change.cpu
    },
    memory: {
      working_set_bytes: 8 * GIB,
      limit_bytes: 16 * GIB,
      anon_bytes: 6 * GIB,
      shmem_bytes: 0.5 * GIB,
      cache_bytes: 3 * GIB,
      unreclaimable_bytes: 7 * GIB,
      oom_kills: 0,
      scope: 'container',
      source: 'cgroup-v2',
      limit_source: 'cgroup',
      reason: null,
      ...change.memory
    },
    gpus: change.gpus ?? [],
    gpu_status: { driver: null, reason: null, ...change.gpu_status },
    disks: change.disks ?? [],
    network: {
      received_bytes_per_second: 1000,
      sent_bytes_per_second: 500,
      scope: 'container',
      reason: null,
      ...change.network
    }
  };
}

/** A GPU with 17.2 of 20 GiB in use. */
export function gpu(
  index: number,
  change: Partial<Schemas['GpuUsage']> = {}
): Schemas['GpuUsage'] {
  return {
    index,
    uuid: `GPU-${index}`,
    name: 'NVIDIA A100',
    scope: 'gpu',
    utilization: 0.63,
    utilization_source: 'nvml',
    memory_used_bytes: 17.2 * GIB,
    memory_total_bytes: 20 * GIB,
    source: 'nvml',
    reason: null,
    ...change
  };
}

/** A reason of the given code. */
export function reason(code: string): Schemas['Reason'] {
  return { code, message: `English for ${code}`, params: {} };
}
