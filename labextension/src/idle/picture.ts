import type { components } from '../api/schema';
import { marksOf, type IMark } from './marks';
import { ticksOf } from '../api/ticks';

type Schemas = components['schemas'];
type Report = Schemas['IdleReport'];

/** What the picture shows, in pixels. */
export interface IPicture {
  readonly width: number;
  readonly height: number;
  readonly plot: {
    readonly left: number;
    readonly right: number;
    readonly top: number;
    readonly bottom: number;
  };

  /** Outline of the figures; empty if there are none. */
  readonly area: string;

  readonly thresholdY: number;

  /** The greatest figure that is seen. */
  readonly peak: { readonly x: number; readonly y: number; readonly value: number } | null;

  /** The time that the next evaluation looks back on. */
  readonly band: { readonly left: number; readonly right: number } | null;

  readonly nowX: number;
  readonly endX: number | null;
  readonly ticks: readonly { readonly x: number; readonly time: Date }[];
  readonly captionY: number;
  readonly laneY: number;
  readonly marks: readonly IMark[];
}

const TOP = 44;
const PLOT = 132;
const AXIS = 22;
const CAPTION = 22;
const LANE = 44;
const SIDE = 20;

/** Where the threshold lies, as a share of the plot's height, and where if it is nothing. */
const THRESHOLD_AT = 0.45;
const NOTHING_AT = 0.1;

/** Least parts of the width that belong to what was and to what comes. */
const LEAST_PAST = 0.3;
const LEAST_AHEAD = 0.3;

const HOUR_MS = 3_600_000;

/** Lay the picture out; null if there is no rule that it could show. */
export function pictureOf(report: Report, now: Date, width: number): IPicture | null {
  const rule = report.status.policy?.rule;
  if (!rule) {
    return null;
  }
  const left = SIDE;
  const right = Math.max(left + 1, width - SIDE);
  const plot = { left, right, top: TOP, bottom: TOP + PLOT };
  const { from, to } = spanOf(report, now.getTime());
  const nowX = left + (right - left) * shareOfPast(from, now.getTime(), to);
  const x = (time: number): number =>
    time <= now.getTime()
      ? left + ((nowX - left) * (time - from)) / (now.getTime() - from)
      : nowX + ((right - nowX) * (time - now.getTime())) / (to - now.getTime());
  const known = report.values.filter(value => value !== null);
  const y = heightOf(rule.threshold, Math.max(0, ...known), plot);
  const next = report.status.next_evaluation_at;
  const end = report.status.delete_at;
  return {
    width,
    height: TOP + PLOT + AXIS + CAPTION + LANE,
    plot,
    ...outlineOf(report, now.getTime(), x, y, plot.bottom),
    thresholdY: plot.bottom - PLOT * lineAt(rule.threshold),
    band:
      next === null
        ? null
        : {
            left: Math.max(left, x(Date.parse(next) - rule.lookback_seconds * 1000)),
            right: Math.min(right, x(Date.parse(next)))
          },
    nowX,
    endX: end === null ? null : x(Date.parse(end)),
    ticks: [...ticksOf(from, now.getTime(), x), ...ticksOf(now.getTime(), to, x)].filter(
      tick =>
        tick.x >= left + SIDE &&
        tick.x <= right - SIDE &&
        // The line of now goes through there.
        Math.abs(tick.x - nowX) >= 1.5 * SIDE
    ),
    captionY: plot.bottom + AXIS + CAPTION / 2,
    laneY: plot.bottom + AXIS + CAPTION + LANE / 2 - 4,
    marks: marksOf(report, now.getTime(), x)
  };
}

/** From the first thing that is shown to the last. */
function spanOf(
  { evaluations, since, status }: Report,
  now: number
): { from: number; to: number } {
  const times = evaluations.map(({ time }) => Date.parse(time));
  const ends = [status.delete_at, status.next_evaluation_at].flatMap(time =>
    time === null ? [] : [Date.parse(time)]
  );
  const from = Math.min(Date.parse(since), now - HOUR_MS, ...times);
  const last = Math.max(now, ...times, ...ends);
  return { from, to: last > now ? last : now + (now - from) / 2 };
}

/** Neither what was nor what comes is squeezed, though the other were far longer. */
function shareOfPast(from: number, now: number, to: number): number {
  const share = (now - from) / (to - from);
  return Math.min(1 - LEAST_AHEAD, Math.max(LEAST_PAST, share));
}

/**
 * A scale on which both the threshold and far greater figures are seen.
 *
 * The threshold is always at the same height: below, small figures are drawn larger than
 * they are; above, each doubling takes the same height.
 */
function heightOf(
  threshold: number,
  greatest: number,
  { top, bottom }: IPicture['plot']
): (value: number) => number {
  const height = bottom - top;
  const base = threshold > 0 ? threshold : (greatest > 0 ? greatest : 1) / 100;
  const most = Math.max(greatest, 4 * base);
  const line = lineAt(threshold);
  const share = (value: number): number => {
    if (value <= threshold) {
      return threshold > 0 ? line * Math.sqrt(value / threshold) : 0;
    }
    const above = Math.log2(1 + (value - threshold) / base);
    return line + (0.95 - line) * (above / Math.log2(1 + (most - threshold) / base));
  };
  return value => bottom - height * share(Math.max(0, value));
}

/** Where the line lies above which use counts, as a share of the plot's height. */
function lineAt(threshold: number): number {
  return threshold > 0 ? THRESHOLD_AT : NOTHING_AT;
}

/** The outline of the figures in steps, with gaps where none are known, and its peak. */
function outlineOf(
  { since, step_seconds: step, values }: Report,
  now: number,
  x: (time: number) => number,
  y: (value: number) => number,
  bottom: number
): Pick<IPicture, 'area' | 'peak'> {
  const path: string[] = [];
  let peak: IPicture['peak'] = null;
  let isOpen = false;
  for (const [index, value] of values.entries()) {
    const begin = Date.parse(since) + index * step * 1000;
    const end = Math.min(now, begin + step * 1000);
    if (value === null || begin >= now) {
      path.push(isOpen ? `V${bottom}Z` : '');
      isOpen = false;
      continue;
    }
    const [fromX, toX, height] = [x(begin), x(end), y(value)];
    if (!isOpen) {
      path.push(`M${round(fromX)} ${bottom}`);
      isOpen = true;
    }
    path.push(`V${round(height)}H${round(toX)}`);
    if (value > (peak?.value ?? 0)) {
      peak = { x: (fromX + toX) / 2, y: height, value };
    }
  }
  path.push(isOpen ? `V${bottom}Z` : '');
  return { area: path.join(''), peak };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
