import type { components } from '../../api/schema';

type Schemas = components['schemas'];

/** More points than this are not told apart. */
const MOST_POINTS = 400;

/** Seconds per point that the server has. */
const RESOLUTIONS = [1, 10, 60, 600, 3600] as const;

/** The server remembers no more. */
const MOST_SECONDS = 90 * 86_400;

/** The picture's own units; it is stretched to the room that there is. */
export const WIDTH = 1000;
export const HEIGHT = 64;

/** Room for a line at the very top. */
const PAD = 2;

/** What is drawn, and what it amounts to. */
export interface ICurve {
  readonly kind: 'cpu' | 'gpu';
  readonly line: string;
  readonly area: string;

  readonly mean: number;
  readonly maximum: number;

  /** The limit, for cores; null where there is none. */
  readonly limit: number | null;
}

/** Asks for the figures of a digest's time; null where that is no time at all. */
export function queryOf({
  since,
  time
}: Pick<Schemas['Digest'], 'since' | 'time'>): string | null {
  const until = Date.parse(time) / 1000;
  const from = Math.max(Date.parse(since) / 1000, until - MOST_SECONDS);
  const seconds = until - from;
  if (!(seconds > 0)) {
    return null;
  }
  const fine = RESOLUTIONS.find(resolution => seconds / resolution <= MOST_POINTS);
  return new URLSearchParams({
    since: new Date(from * 1000).toISOString(),
    until: new Date(until * 1000).toISOString(),
    resolution: String(fine ?? RESOLUTIONS.at(-1))
  }).toString();
}

/** Use of the GPUs, or else of the CPU, with gaps where nothing is known; null without any. */
export function curveOf(history: Schemas['UsageHistory']): ICurve | null {
  const gpu = meanOf(history.gpus.map(({ utilization }) => utilization.mean));
  const isGpu = gpu.some(value => value !== null);
  const values = isGpu ? gpu : history.cpu_used_cores.mean;
  const known = values.filter(value => value !== null);
  if (known.length === 0) {
    return null;
  }
  const maximum = Math.max(...known);
  const limits = history.cpu_limit_cores.mean.filter(value => value !== null);
  const limit = isGpu || limits.length === 0 ? null : Math.max(...limits);
  const top = isGpu ? 1 : Math.max(limit ?? 0, maximum) || 1;
  const span = (Date.parse(history.until) - Date.parse(history.since)) / 1000;
  const x = (seconds: number): number => round((seconds / span) * WIDTH);
  const y = (value: number): number => round(HEIGHT - (value / top) * (HEIGHT - PAD));

  const pieces: [number, number][][] = [];
  let last = -Infinity;
  for (const [index, offset] of history.offsets_seconds.entries()) {
    const value = values[index] ?? null;
    if (value === null) {
      last = -Infinity;
      continue;
    }
    if (offset - last > history.gap_seconds) {
      pieces.push([]);
    }
    pieces.at(-1)?.push([x(offset), y(value)]);
    // One point alone is a short line.
    last = offset;
  }
  const width = round((history.resolution_seconds / span) * WIDTH);
  const drawn = pieces.map(points => {
    const [end, height] = points.at(-1) ?? [0, 0];
    return [...points, [Math.min(end + width, WIDTH), height] as const];
  });
  const text = (points: readonly (readonly [number, number])[]): string =>
    points.map(point => point.join(' ')).join('L');
  return {
    kind: isGpu ? 'gpu' : 'cpu',
    line: drawn.map(points => `M${text(points)}`).join(''),
    area: drawn
      .map(
        points =>
          `M${String(points[0]?.[0] ?? 0)} ${HEIGHT}L${text(points)}L${String(points.at(-1)?.[0] ?? 0)} ${HEIGHT}Z`
      )
      .join(''),
    mean: known.reduce((sum, value) => sum + value, 0) / known.length,
    maximum,
    limit
  };
}

/** Point by point, of those that are known there. */
function meanOf(columns: readonly (readonly (number | null)[])[]): (number | null)[] {
  return (columns[0] ?? []).map((_, index) => {
    const known = columns
      .map(column => column[index] ?? null)
      .filter(value => value !== null);
    return known.length === 0
      ? null
      : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
