import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFigure } from '../figures';
import type { ITrace, Look } from './chart';
import type { IColumn, Timeline } from './timeline';
import type { Values } from './values';

/** Writes one value for people. */
export type Write = (value: number) => string;

/** Room above the limit, so that its line is seen. */
export const HEADROOM = 1.08;

/** One column as it is drawn and told. */
export function trace(
  label: string,
  look: Look,
  timeline: Timeline,
  key: string,
  write: Write,
  now: string | null = null
): ITrace {
  const column = timeline.column(key);
  return {
    label,
    now: now ?? '',
    look,
    values: look === 'ticks' ? column.maximum : column.mean,
    range: look === 'main' ? column : null,
    tell: teller(column.mean, write, column)
  };
}

/** The line that may not be passed; without `write` it goes without saying. */
export function limitTrace(
  values: Values,
  trans: TranslationBundle,
  write?: Write
): ITrace {
  return {
    label: trans.__('limit'),
    now: '',
    look: 'limit',
    values,
    range: null,
    tell: write ? teller(values, write) : () => ''
  };
}

/** Tells a value and, where they differ to the eye, its smallest and greatest. */
export function teller(
  values: Values,
  write: Write,
  range?: IColumn
): (point: number) => string {
  return point => {
    const value = values[point] ?? null;
    if (value === null) {
      return '';
    }
    const text = write(value);
    const least = write(range?.minimum[point] ?? value);
    const most = write(range?.maximum[point] ?? value);
    return least === most ? text : `${text} (${least} – ${most})`;
  };
}

/** Columns in one sentence, each with its name; null where nothing is known of any. */
export function summarize(
  timeline: Timeline,
  columns: readonly (readonly [label: string, key: string, write: Write])[],
  trans: TranslationBundle
): string | null {
  const said = columns.flatMap(([label, key, write]) => {
    const found = timeline.summary(key);
    if (!found) {
      return [];
    }
    const [mean, least, most] = [found.mean, found.minimum, found.maximum].map(write);
    return [trans.__('%1: mean %2, from %3 to %4', label, mean, least, most)];
  });
  return said.length > 0 ? said.join('; ') : null;
}

/** The next round number above a value, with some room. */
export function niceAbove(value: number, least: number, base: 2 | 10 = 10): number {
  const wanted = Math.max(value, least) * 1.02;
  if (base === 2) {
    return 2 ** Math.ceil(Math.log2(wanted));
  }
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * ([1, 2, 5].find(step => step * power >= wanted) ?? 10);
}

/** Values as shares of a total. */
export function shares(values: Values, total: number | null): Values {
  return values.map(value => (value === null || !total ? null : value / total));
}

/** What a figure covers and where it was read, for a tooltip. */
export function hintOf(figure: IFigure | undefined): string {
  return figure ? [figure.summary, ...figure.notes].join('\n') : '';
}
