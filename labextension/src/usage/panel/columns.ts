import type { components } from '../../api/schema';
import type { IRange } from './ranges';
import { Timeline, type IColumn, type Readings } from './timeline';

type Schemas = components['schemas'];

/** The names of the columns that every server has. */
export const Columns = {
  cpuUsed: 'cpu.used',
  cpuLimit: 'cpu.limit',
  cpuThrottled: 'cpu.throttled',
  memoryWorkingSet: 'memory.workingSet',
  memoryAnonShmem: 'memory.anonShmem',
  memoryCache: 'memory.cache',
  memoryLimit: 'memory.limit',
  homeUsed: 'home.used',
  homeLimit: 'home.limit',
  tmpUsed: 'tmp.used',
  tmpLimit: 'tmp.limit',
  received: 'network.received',
  sent: 'network.sent'
} as const;

/** The names of the columns of one GPU or slice. */
export function gpuColumns(uuid: string): { utilization: string; memory: string } {
  return { utilization: `gpu.utilization.${uuid}`, memory: `gpu.memory.${uuid}` };
}

/** A sample as one entry for each column. */
export function readingsOf(sample: Schemas['UsageSnapshot']): Readings {
  const { cpu, memory, network } = sample;
  const { anon_bytes: anon, shmem_bytes: shmem } = memory;
  const readings = new Map<string, number | null>([
    [Columns.cpuUsed, cpu.used_cores],
    [Columns.cpuLimit, cpu.limit_cores],
    [Columns.cpuThrottled, cpu.throttled_share],
    [Columns.memoryWorkingSet, memory.working_set_bytes],
    [Columns.memoryAnonShmem, anon === null || shmem === null ? null : anon + shmem],
    [Columns.memoryCache, memory.cache_bytes],
    [Columns.memoryLimit, memory.limit_bytes],
    [Columns.received, network.received_bytes_per_second],
    [Columns.sent, network.sent_bytes_per_second]
  ]);
  for (const disk of sample.disks) {
    const [used, limit] =
      disk.name === 'home'
        ? [Columns.homeUsed, Columns.homeLimit]
        : [Columns.tmpUsed, Columns.tmpLimit];
    readings.set(used, disk.used_bytes);
    readings.set(limit, disk.limit_bytes);
  }
  for (const gpu of sample.gpus) {
    const { utilization, memory: used } = gpuColumns(gpu.uuid);
    readings.set(utilization, gpu.utilization);
    readings.set(used, gpu.memory_used_bytes);
  }
  return readings;
}

/** The server's history as a timeline that can go on. */
export function timelineOf(history: Schemas['UsageHistory'], range: IRange): Timeline {
  const since = secondsOf(history.since);
  const timeline = new Timeline({
    span: range.seconds,
    resolution: history.resolution_seconds,
    gap: history.gap_seconds,
    until: secondsOf(history.until)
  });
  const columns = new Map<string, IColumn>([
    [Columns.cpuUsed, history.cpu_used_cores],
    [Columns.cpuLimit, history.cpu_limit_cores],
    [Columns.cpuThrottled, history.cpu_throttled_share],
    [Columns.memoryWorkingSet, history.memory_working_set_bytes],
    [Columns.memoryAnonShmem, history.memory_anon_shmem_bytes],
    [Columns.memoryCache, history.memory_cache_bytes],
    [Columns.memoryLimit, history.memory_limit_bytes],
    [Columns.homeUsed, history.home_used_bytes],
    [Columns.homeLimit, history.home_limit_bytes],
    [Columns.tmpUsed, history.tmp_used_bytes],
    [Columns.tmpLimit, history.tmp_limit_bytes],
    [Columns.received, history.network_received_bytes_per_second],
    [Columns.sent, history.network_sent_bytes_per_second]
  ]);
  for (const gpu of history.gpus) {
    const { utilization, memory } = gpuColumns(gpu.uuid);
    columns.set(utilization, gpu.utilization);
    columns.set(memory, gpu.memory_used_bytes);
  }
  timeline.fill(
    history.offsets_seconds.map(offset => since + offset),
    columns
  );
  return timeline;
}

/** A timeline that knows nothing yet. */
export function emptyTimeline(range: IRange, until: number): Timeline {
  const { seconds, resolution } = range;
  // A server that nobody looks at takes a sample every ten seconds.
  return new Timeline({
    span: seconds,
    resolution,
    gap: Math.max(2.5 * resolution, 25),
    until
  });
}

/** A time of the wire in seconds since 1970. */
export function secondsOf(time: string): number {
  return Date.parse(time) / 1000;
}
