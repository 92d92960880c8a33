import type { Level } from '../level';
import type { Values } from './values';

/** How one line of a chart is drawn. */
export type Look =
  /** The figure itself: line, faint area, band from smallest to greatest. */
  | 'main'
  /** Another figure beside it: a line of another colour and kind. */
  | 'second'
  /** An area on top of the main one. */
  | 'stacked'
  /** What may not be passed. */
  | 'limit'
  /** A share of time, as bars along the bottom. */
  | 'ticks';

/** One line of a chart. */
export interface ITrace {
  readonly label: string;

  /** The figure now, for the legend; empty where the heading says it. */
  readonly now: string;

  readonly look: Look;

  /** What is drawn, in the units of the chart; `ticks` are shares of their own height. */
  readonly values: Values;

  /** Its smallest and greatest values, where they are drawn and told. */
  readonly range: { readonly minimum: Values; readonly maximum: Values } | null;

  /** The exact figure at a point; empty where there is nothing to tell. */
  readonly tell: (point: number) => string;
}

/** One chart, with all that is said of it. */
export interface IChart {
  readonly key: string;
  readonly title: string;

  /** The figure now: "1.9 of 2 cores". */
  readonly value: string;

  /** Sentences below it. */
  readonly notes: readonly string[];

  /** What it covers and where it was read. */
  readonly hint: string;

  readonly level: Level;

  /** The highest value that there is room for. */
  readonly top: number;

  /** A value that is written on the chart: the limit, or the top where there is none. */
  readonly mark: { readonly value: number; readonly text: string };

  readonly traces: readonly ITrace[];

  /** The chart in a sentence, for those who do not see it; null without data. */
  readonly summary: string | null;
}
