import type { TranslationBundle } from '@jupyterlab/translation';

import type { IChart, Look } from './chart';
import type { IMark } from './marks';

/** A mark this near to the cursor, in shares of the range, is told with it. */
const NEAR = 0.01;

/** As many marks as are told at once; one cause may make many kernels die. */
const MOST_MARKS = 3;

/** One line that is told of a point. */
export interface ITelling {
  readonly label: string;
  readonly text: string;

  /** Null where nothing is drawn for it. */
  readonly look: Look | 'mark' | null;
}

/** What there is to be told of. */
interface IPlace {
  readonly times: readonly number[];
  readonly since: number;
  readonly until: number;
  readonly marks: readonly IMark[];
}

/** What is known of a point: figures, then the nearest marks, then how many more. */
export function tellingsOf(
  chart: Pick<IChart, 'traces'>,
  { times, since, until, marks }: IPlace,
  point: number,
  trans: TranslationBundle
): ITelling[] {
  const time = times[point] ?? 0;
  const distance = (mark: IMark): number => Math.abs(mark.time - time);
  const near = marks
    .filter(mark => distance(mark) <= (until - since) * NEAR)
    .sort((a, b) => distance(a) - distance(b));
  const texts = [...new Set(near.map(({ text }) => text))];
  const more = texts.length - MOST_MARKS;
  return [
    ...chart.traces
      .map(({ label, look, tell }) => ({ label, look, text: tell(point) }))
      .filter(({ text }) => text !== ''),
    ...texts.slice(0, MOST_MARKS).map(text => ({ label: '', look: 'mark' as const, text })),
    ...(more > 0
      ? [{ label: '', look: null, text: trans._n('and %1 more', 'and %1 more', more) }]
      : [])
  ];
}

/** The same for those who hear it. */
export function said({ label, text }: ITelling): string {
  return label === '' ? text : `${label} ${text}`;
}
