import type { TranslationBundle } from '@jupyterlab/translation';

/** How far back the charts look. */
export interface IRange {
  /** Short name, also for the file of an export. */
  readonly key: '15min' | '6h' | '7d' | '90d';

  readonly seconds: number;

  /** Seconds per point where the server has no history to say it. */
  readonly resolution: number;

  /** Steps that the axis of time may take, in seconds. */
  readonly steps: readonly number[];
}

const DAY = 86_400;

export const RANGES: readonly [IRange, IRange, IRange, IRange] = [
  { key: '15min', seconds: 900, resolution: 1, steps: [180, 300, 600] },
  { key: '6h', seconds: 6 * 3600, resolution: 10, steps: [1800, 3600, 7200] },
  { key: '7d', seconds: 7 * DAY, resolution: 600, steps: [DAY, 2 * DAY, 4 * DAY] },
  { key: '90d', seconds: 90 * DAY, resolution: 3600, steps: [7 * DAY, 14 * DAY, 30 * DAY] }
];

/** The shortest one that still shows a moment, with some time before it. */
export function rangeWith(ago: number): IRange {
  return RANGES.find(({ seconds }) => ago <= 0.9 * seconds) ?? RANGES[3];
}

/** "15 min", for the switch. */
export function rangeLabel(range: IRange, trans: TranslationBundle): string {
  switch (range.key) {
    case '15min':
      return trans.__('15 min');
    case '6h':
      return trans.__('6 h');
    case '7d':
      return trans.__('7 d');
    case '90d':
      return trans.__('90 d');
  }
}

/** "the last 15 minutes", for those who hear the page. */
export function rangeName(range: IRange, trans: TranslationBundle): string {
  switch (range.key) {
    case '15min':
      return trans.__('the last 15 minutes');
    case '6h':
      return trans.__('the last 6 hours');
    case '7d':
      return trans.__('the last 7 days');
    case '90d':
      return trans.__('the last 90 days');
  }
}
