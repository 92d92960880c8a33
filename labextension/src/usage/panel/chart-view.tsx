import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IChart, ITrace } from './chart';
import type { IPalette } from './colours';
import { target } from './keys';
import { Plot, type IFrame } from './plot';

/** A mark this near to the cursor, in shares of the range, is told with it. */
const NEAR = 0.01;

interface IProps {
  readonly chart: IChart;
  readonly frame: IFrame;

  /** Changes with what is worth drawing anew. */
  readonly version: string;

  /** The point under the cursor, and whether it is this chart's own. */
  readonly point: number | null;
  readonly isSource: boolean;
  readonly onPoint: (index: number | null) => void;

  readonly palette: () => IPalette;
  readonly write: (seconds: number) => string;
  readonly trans: TranslationBundle;
}

/** One chart with its heading, legend and notes. */
export function ChartView(props: IProps): React.ReactElement {
  const { chart, frame, point, isSource, onPoint, trans } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const plot = usePlot(host, props);
  const told = point === null ? [] : tellingsOf(chart, frame, point);
  const time = point === null ? '' : props.write(frame.times[point] ?? 0);
  const spoken = point === null ? '' : [time, ...told.map(said)].join(', ');
  const label = trans.__('%1 over time', chart.title);
  const last = frame.times.length - 1;

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const next = target(event.key, point, last);
    if (next !== undefined && last >= 0) {
      event.preventDefault();
      event.stopPropagation();
      onPoint(next);
    }
  };

  return (
    <figure
      className={`jp-EinfraUsagePanel-chart jp-mod-${chart.level}`}
      aria-label={`${chart.title}: ${chart.value}. ${chart.summary ?? ''}`}
      data-chart={chart.key}
    >
      <figcaption title={chart.hint}>
        <span className="jp-EinfraUsagePanel-title">{chart.title}</span>
        <span className="jp-EinfraUsagePanel-value">{chart.value}</span>
      </figcaption>
      <div className="jp-EinfraUsagePanel-frame">
        <div
          ref={host}
          className="jp-EinfraUsagePanel-plot"
          role="slider"
          tabIndex={0}
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={Math.max(last, 0)}
          aria-valuenow={point ?? Math.max(last, 0)}
          aria-valuetext={spoken || (chart.summary ?? trans.__('No data in this time.'))}
          onKeyDown={onKeyDown}
          onBlur={() => {
            if (isSource) {
              onPoint(null);
            }
          }}
        />
        {chart.summary === null && (
          <span className="jp-EinfraUsagePanel-blank">
            {trans.__('No data in this time.')}
          </span>
        )}
        {point !== null && isSource && (
          <Tooltip left={plot.current?.left(point) ?? 0} time={time} told={told} />
        )}
      </div>
      <Legend traces={chart.traces} />
      {chart.notes.map(note => (
        <p key={note} className="jp-EinfraUsagePanel-remark">
          {note}
        </p>
      ))}
    </figure>
  );
}

/** Keeps a plot in an element, and in step with what is to be drawn. */
function usePlot(
  host: React.RefObject<HTMLDivElement>,
  { chart, frame, version, point, onPoint, palette }: IProps
): React.RefObject<Plot> {
  const plot = React.useRef<Plot | null>(null);
  const latest = React.useRef(onPoint);
  latest.current = onPoint;
  React.useEffect(() => {
    const element = host.current;
    if (!element) {
      return;
    }
    const made = new Plot({
      host: element,
      chart,
      frame,
      palette,
      onPoint: index => {
        latest.current(index);
      }
    });
    plot.current = made;
    let request = 0;
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(request);
      request = requestAnimationFrame(() => {
        made.resize();
      });
    });
    observer.observe(element);
    return () => {
      cancelAnimationFrame(request);
      observer.disconnect();
      made.dispose();
      plot.current = null;
    };
    // What it draws afterwards is told below.
  }, []);
  React.useEffect(() => {
    plot.current?.update(chart, frame);
    // Only what the version stands for is worth drawing.
  }, [version]);
  React.useEffect(() => {
    plot.current?.point(point);
  }, [point, version]);
  return plot;
}

interface ITelling {
  readonly label: string;
  readonly text: string;
  readonly look: ITrace['look'] | 'mark';
}

/** What is known of a point, marks included. */
function tellingsOf(chart: IChart, frame: IFrame, point: number): ITelling[] {
  const time = frame.times[point] ?? 0;
  const near = (frame.until - frame.since) * NEAR;
  return [
    ...chart.traces
      .map(({ label, look, tell }) => ({ label, look, text: tell(point) }))
      .filter(({ text }) => text !== ''),
    ...frame.marks
      .filter(mark => Math.abs(mark.time - time) <= near)
      .map(({ text }) => ({ label: '', look: 'mark' as const, text }))
  ];
}

function said({ label, text }: ITelling): string {
  return label === '' ? text : `${label} ${text}`;
}

function Tooltip({
  left,
  time,
  told
}: {
  readonly left: number;
  readonly time: string;
  readonly told: readonly ITelling[];
}): React.ReactElement {
  const node = React.useRef<HTMLDivElement>(null);
  React.useLayoutEffect(() => {
    const element = node.current;
    const room = element?.parentElement?.clientWidth ?? 0;
    if (element) {
      const before = left - element.offsetWidth - 8;
      const after = Math.min(left + 8, room - element.offsetWidth);
      element.style.left = `${Math.max(before >= 0 && left > room / 2 ? before : after, 0)}px`;
    }
  });
  return (
    <div ref={node} className="jp-EinfraUsagePanel-tooltip" aria-hidden="true">
      <strong>{time}</strong>
      {told.map(({ label, look, text }) => (
        <div key={label + text}>
          <Swatch look={look} />
          {label} <span>{text}</span>
        </div>
      ))}
    </div>
  );
}

/** What the lines are, where there is more than one. */
function Legend({
  traces
}: {
  readonly traces: readonly ITrace[];
}): React.ReactElement | null {
  const shown = traces.filter(({ look, values }) =>
    look === 'limit'
      ? false
      : values.some(value => value !== null && (look !== 'ticks' || value > 0))
  );
  // What is on top of the main area is drawn before it, but named after it.
  shown.sort((a, b) => Number(a.look === 'stacked') - Number(b.look === 'stacked'));
  if (shown.length < 2 && (shown[0]?.look ?? 'main') === 'main') {
    return null;
  }
  return (
    <ul className="jp-EinfraUsagePanel-legend">
      {shown.map(({ label, look, now }) => (
        <li key={label}>
          <Swatch look={look} />
          {label} <span>{now}</span>
        </li>
      ))}
    </ul>
  );
}

function Swatch({ look }: { readonly look: ITelling['look'] }): React.ReactElement {
  return <i className="jp-EinfraUsagePanel-swatch" data-look={look} aria-hidden="true" />;
}
