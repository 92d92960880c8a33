import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { components } from '../api/schema';
import type { IRow } from './facts';
import { Legend, Mark } from './marks-view';
import { pictureOf, type IPicture } from './picture';
import { type IdleWords, type Rule } from './words';

/** Narrower than this it is not drawn, but scrolled. */
const LEAST_WIDTH = 320;

/** The widest a line of words in the plot comes. */
const WORDS_PX = 180;

/** Half of a figure with its unit. */
const HALF_WORD_PX = 40;

/** The heading, and what is said of the deletion beside it. */
const END_WORDS_PX = 320;

interface IProps {
  readonly report: components['schemas']['IdleReport'];
  readonly rows: readonly IRow[];
  readonly now: Date;
  readonly words: IdleWords;
  readonly trans: TranslationBundle;
}

/** The way to the deletion: what was used, what counts, and who counted. */
export function PictureView(props: IProps): React.ReactElement | null {
  const { report, now, trans } = props;
  const [frame, setFrame] = React.useState<HTMLElement | null>(null);
  const width = useWidth(frame);
  const picture = width > 0 ? pictureOf(report, now, Math.max(LEAST_WIDTH, width)) : null;
  const rule = report.status.policy?.rule;
  if (!rule) {
    return null;
  }
  return (
    <figure className="jp-EinfraIdle-figure">
      <div ref={setFrame} className="jp-EinfraIdle-frame">
        {picture && <Drawing {...props} {...{ picture, rule }} />}
      </div>
      {picture && (
        <Legend marks={picture.marks} band={picture.band !== null} trans={trans} />
      )}
      <figcaption>
        {trans.__(
          'Small figures are drawn larger than they are, so that they can be seen.'
        )}
      </figcaption>
    </figure>
  );
}

interface IDrawing extends IProps {
  readonly picture: IPicture;
  readonly rule: Rule;
}

function Drawing(props: IDrawing): React.ReactElement {
  const { picture, report, rule, words, trans, now } = props;
  const { area, band, captionY, endX, height, laneY, nowX, peak, plot, thresholdY, width } =
    picture;
  const id = React.useId();
  const figure = words.figure(rule, rule.threshold);
  const end = report.status.delete_at;
  const ending = end === null ? '' : words.format.time(new Date(end), now);
  // To the right there are no figures; nor do words lie on the line of a deletion near by.
  const isNear = endX !== null && endX - nowX < WORDS_PX;
  const lineX = isNear ? Math.max(nowX, endX) : nowX;
  const beside =
    plot.right - lineX > WORDS_PX
      ? ({ x: lineX + 8 } as const)
      : ({ x: nowX - 8, textAnchor: 'end' } as const);
  const plotHeight = plot.bottom - plot.top;
  return (
    <svg
      role="img"
      aria-label={alternative(props)}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
    >
      <clipPath id={id}>
        <rect x="0" y="0" width={width} height={thresholdY} />
      </clipPath>
      {band && (
        <rect
          className="jp-EinfraIdle-band"
          x={band.left}
          y={plot.top}
          width={band.right - band.left}
          height={plotHeight}
        />
      )}
      <path className="jp-EinfraIdle-area" d={area} />
      <path className="jp-EinfraIdle-use" d={area} clipPath={`url(#${id})`} />
      <line
        className="jp-EinfraIdle-axis"
        x1={plot.left}
        x2={plot.right}
        y1={plot.bottom}
        y2={plot.bottom}
      />
      <line
        className="jp-EinfraIdle-threshold"
        x1={plot.left}
        x2={plot.right}
        y1={thresholdY}
        y2={thresholdY}
      />
      <text className="jp-EinfraIdle-title" x={plot.left} y="14">
        {rule.metric === 'cpu_cores' ? trans.__('CPU in use') : trans.__('GPU busy')}
      </text>
      {area === '' && (
        <text
          className="jp-mod-quiet"
          x={(plot.left + nowX) / 2}
          y={plot.bottom - 8}
          textAnchor="middle"
        >
          {trans.__('not seen')}
        </text>
      )}
      <text {...beside} y={thresholdY - 6}>
        {rule.idle_at_threshold
          ? trans.__('▲ use: more than %1', figure)
          : trans.__('▲ use: from %1 on', figure)}
      </text>
      <text {...beside} y={thresholdY + 16}>
        {trans.__('▼ counts as unused')}
      </text>
      {band && band.right - lineX > WORDS_PX && (
        <text className="jp-mod-quiet" x={lineX + 8} y={plot.top + 16}>
          {trans.__('the next evaluation looks at this')}
        </text>
      )}
      {picture.ticks.map(({ x, time }) => (
        <g key={time.getTime()}>
          <line
            className="jp-EinfraIdle-axis"
            x1={x}
            x2={x}
            y1={plot.bottom}
            y2={plot.bottom + 4}
          />
          <text className="jp-mod-quiet" x={x} y={plot.bottom + 16} textAnchor="middle">
            {words.when.tick(time)}
          </text>
        </g>
      ))}
      <line
        className="jp-EinfraIdle-lane"
        x1={plot.left}
        x2={endX ?? plot.right}
        y1={laneY}
        y2={laneY}
      />
      {end !== null && endX !== null && (
        <>
          <line
            className="jp-EinfraIdle-end"
            x1={endX}
            x2={endX}
            y1={plot.top - 8}
            y2={laneY}
          />
          <text
            className="jp-EinfraIdle-endText"
            // Above "now", and right of the heading.
            x={Math.min(width - 4, Math.max(END_WORDS_PX, endX + 16))}
            y="14"
            textAnchor="end"
          >
            {report.status.is_estimate
              ? trans.__('may be deleted (estimate): %1', ending)
              : trans.__('deleted unless used: %1', ending)}
          </text>
        </>
      )}
      <line
        className="jp-EinfraIdle-now"
        x1={nowX}
        x2={nowX}
        y1={plot.top - 8}
        y2={laneY + 14}
      />
      <text className="jp-EinfraIdle-title" x={nowX} y="30" textAnchor="middle">
        {trans.__('now')}
      </text>
      <text className="jp-EinfraIdle-title" x={plot.left} y={captionY}>
        {trans.__('Found unused so often in a row')}
      </text>
      {peak && (
        <text
          x={Math.min(Math.max(plot.left, peak.x), nowX - 6)}
          y={Math.max(plot.top - 4, peak.y - 5)}
          textAnchor={anchorOf(peak.x, plot.left, nowX)}
        >
          {words.figure(rule, peak.value)}
        </text>
      )}
      {picture.marks.map(mark => (
        <Mark key={mark.time.getTime()} mark={mark} y={laneY} />
      ))}
    </svg>
  );
}

/** All that the picture shows, in words. */
function alternative({ report, rows, rule, words, trans, now }: IDrawing): string {
  const { status } = report;
  const maximum = status.day_maximum;
  return [
    words.answer(status, now),
    trans.__('What counts as use: %1', words.use(rule)),
    ...(maximum === null
      ? []
      : [trans.__('Most in the last 24 hours: %1.', words.figure(rule, maximum))]),
    ...rows.map(({ time, found, counter, source }) =>
      counter === ''
        ? trans.__('%1: %2 (%3).', time, found, source)
        : trans.__('%1: %2, counter %3 (%4).', time, found, counter, source)
    )
  ].join(' ');
}

/** A word stays between two lines. */
function anchorOf(x: number, left: number, right: number): 'start' | 'middle' | 'end' {
  if (x < left + HALF_WORD_PX) {
    return 'start';
  }
  return x > right - HALF_WORD_PX ? 'end' : 'middle';
}

/** The width of an element, which may change. */
function useWidth(element: HTMLElement | null): number {
  const [width, setWidth] = React.useState(0);
  React.useLayoutEffect(() => {
    if (!element) {
      return;
    }
    const observer = new ResizeObserver(() => {
      setWidth(element.clientWidth);
    });
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => {
      observer.disconnect();
    };
  }, [element]);
  return width;
}
