import uPlot from 'uplot';

import type { IChart, ITrace } from './chart';
import type { IPalette } from './colours';
import type { IMark } from './marks';
import { FONT_SIZE, paintGround, paintMarks } from './paint';
import { seriesOf, shape } from './series';
import type { Values } from './values';

/** Room below the plot for the words of the axis, in CSS pixels. */
const AXIS_HEIGHT = 18;

/** Bars of throttling take this part of the height at most. */
const TICKS_PART = 0.2;

/** Half of the room that a word on the axis needs, in CSS pixels. */
const EDGE = 24;

/** What a plot draws besides its chart. */
export interface IFrame {
  readonly times: readonly number[];
  readonly since: number;
  readonly until: number;
  readonly marks: readonly IMark[];

  /** Words for the axis of time. */
  readonly tick: (seconds: number) => string;

  /** Steps that the axis may take, in seconds. */
  readonly steps: readonly number[];
}

/** Draws one chart on a canvas. */
export class Plot implements EventListenerObject {
  constructor(private readonly _options: Plot.IOptions) {
    this._chart = _options.chart;
    this._frame = _options.frame;
    this._plot = this._make();
    _options.host.addEventListener('mouseenter', this);
    _options.host.addEventListener('mouseleave', this);
  }

  handleEvent({ type }: Event): void {
    this._hovered = type === 'mouseenter';
    if (!this._hovered) {
      this._options.onPoint(null);
    }
  }

  /** Draw other figures, or the same in other colours. */
  update(chart: IChart, frame: IFrame): void {
    const same = shape(chart) === shape(this._chart) && frame.steps === this._frame.steps;
    this._chart = chart;
    this._frame = frame;
    if (same) {
      this._plot.setData(this._data(), true);
    } else {
      this._plot.destroy();
      this._plot = this._make();
    }
  }

  /** Take the size of the host. */
  resize(): void {
    const { width, height } = this._size();
    if (width > 0 && (width !== this._plot.width || height !== this._plot.height)) {
      this._plot.setSize({ width, height });
    }
  }

  /** Put the line of the cursor to a point, or take it away. */
  point(index: number | null): void {
    const time = index === null ? undefined : this._frame.times[index];
    const left = time === undefined ? -10 : this._plot.valToPos(time, 'x');
    this._plot.setCursor({ left, top: time === undefined ? -10 : 1 }, false);
  }

  /** Where a point lies, in CSS pixels from the left. */
  left(index: number): number {
    return this._plot.valToPos(this._frame.times[index] ?? 0, 'x');
  }

  dispose(): void {
    this._options.host.removeEventListener('mouseenter', this);
    this._options.host.removeEventListener('mouseleave', this);
    this._plot.destroy();
  }

  private _make(): uPlot {
    const { host, palette } = this._options;
    this._looks = this._chart.traces.reduce<string[]>(
      (looks, { look, range }) => [
        ...looks,
        look === 'main' || look === 'second' ? 'line' : look,
        ...(range ? ['edge', 'edge'] : [])
      ],
      ['time']
    );
    const axisFont = `${FONT_SIZE}px ${palette().font}`;
    return new uPlot(
      {
        ...this._size(),
        legend: { show: false },
        padding: [2, 0, 0, 0],
        cursor: {
          y: false,
          drag: { x: false, y: false, setScale: false },
          points: { size: (_, series) => (this._looks[series] === 'line' ? 5 : 0) },
          bind: { dblclick: () => null }
        },
        scales: {
          x: { time: true, range: () => [this._frame.since, this._frame.until] },
          y: { range: () => [0, this._chart.top] },
          ticks: { range: () => [0, 1 / TICKS_PART] }
        },
        axes: [
          {
            size: AXIS_HEIGHT,
            gap: 2,
            space: 56,
            font: axisFont,
            stroke: () => palette().text,
            grid: { stroke: () => palette().grid, width: 1 },
            ticks: { show: false },
            incrs: [...this._frame.steps],
            values: (plot, splits) => splits.map(split => this._tick(plot, split))
          },
          { show: false }
        ],
        series: [{}, ...this._chart.traces.flatMap(trace => seriesOf(trace, palette))],
        bands: this._bands(),
        hooks: {
          drawClear: [
            plot => {
              paintGround(plot, this._options.palette());
            }
          ],
          draw: [
            plot => {
              paintMarks(
                plot,
                this._chart.mark,
                this._frame.marks,
                this._options.palette()
              );
            }
          ],
          setCursor: [
            ({ cursor: { idx, left } }) => {
              // While the mouse is elsewhere, another chart says where the cursor is.
              if (this._hovered && (left ?? -1) >= 0) {
                this._options.onPoint(idx ?? null);
              }
            }
          ]
        }
      },
      this._data(),
      host
    );
  }

  /** Between smallest and greatest, and between a stack's area and what is below it. */
  private _bands(): uPlot.Band[] {
    const { palette } = this._options;
    const { traces } = this._chart;
    const starts: number[] = [];
    let next = 1;
    for (const { range } of traces) {
      starts.push(next);
      next += range ? 3 : 1;
    }
    const start = (look: ITrace['look']): number =>
      starts[traces.findIndex(trace => trace.look === look)] ?? 0;
    return traces.flatMap((trace, index): uPlot.Band[] => {
      const at = starts[index] ?? 0;
      if (trace.look === 'stacked') {
        return [{ series: [at, start('main')], fill: () => palette().stacked }];
      }
      return trace.range ? [{ series: [at + 2, at + 1], fill: () => palette().band }] : [];
    });
  }

  private _data(): uPlot.AlignedData {
    const columns = this._chart.traces.flatMap(({ values, range }): Values[] =>
      range ? [values, range.minimum, range.maximum] : [values]
    );
    return [[...this._frame.times], ...columns] as uPlot.AlignedData;
  }

  /** The word for a time, unless the edge of the chart would cut it. */
  private _tick(plot: uPlot, seconds: number): string {
    const left = plot.valToPos(seconds, 'x');
    return left < EDGE || left > plot.width - EDGE ? '' : this._frame.tick(seconds);
  }

  private _size(): { width: number; height: number } {
    const { clientWidth: width, clientHeight: height } = this._options.host;
    return { width, height };
  }

  private _chart: IChart;
  private _frame: IFrame;
  private _hovered = false;
  /** What each series of the plot is. */
  private _looks: readonly string[] = [];
  private _plot: uPlot;
}

export namespace Plot {
  export interface IOptions {
    readonly host: HTMLElement;
    readonly chart: IChart;
    readonly frame: IFrame;
    readonly palette: () => IPalette;

    /** Hears at which point the mouse is; null when it has gone. */
    readonly onPoint: (index: number | null) => void;
  }
}
