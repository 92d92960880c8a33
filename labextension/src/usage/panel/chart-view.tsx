import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IChart } from './chart';
import type { IPalette } from './colours';
import { target } from './keys';
import { Legend } from './legend-view';
import { Plot, type IFrame } from './plot';
import { said, tellingsOf } from './tellings';
import { Tooltip } from './tooltip-view';

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
  const told = point === null ? [] : tellingsOf(chart, frame, point, trans);
  const time = point === null ? '' : props.write(frame.times[point] ?? 0);
  const spoken = point === null ? '' : [time, ...told.map(said)].join(', ');
  const label = trans.__('%1 over time', chart.title);
  const last = frame.times.length - 1;
  const span = frame.until - frame.since;
  // Both ends stay for long, so that nobody hears them move.
  const least = Math.floor(frame.since / span) * span;
  const most = Math.ceil(frame.until / span) * span;
  const silent =
    chart.summary === null
      ? trans.__('No data in this time.')
      : trans.__('Arrow keys read the figures.');

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
          aria-valuemin={least}
          aria-valuemax={most}
          aria-valuenow={point === null ? most : Math.round(frame.times[point] ?? most)}
          aria-valuetext={spoken || silent}
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
