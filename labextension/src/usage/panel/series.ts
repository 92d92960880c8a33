import uPlot from 'uplot';

import type { IChart, ITrace } from './chart';
import type { IPalette } from './colours';
import { alone } from './values';

/** How one line is drawn, and the edges of its range after it. */
export function seriesOf({ look, range }: ITrace, palette: () => IPalette): uPlot.Series[] {
  const edge: uPlot.Series = { points: { show: false }, width: 0 };
  const main: Record<ITrace['look'], uPlot.Series> = {
    main: {
      stroke: () => palette().main,
      fill: () => palette().area,
      width: 1.5,
      points: lonely()
    },
    second: {
      stroke: () => palette().second,
      width: 1.5,
      dash: [4, 4],
      points: lonely()
    },
    stacked: { stroke: () => palette().stacked, width: 1, points: { show: false } },
    limit: {
      stroke: () => palette().limit,
      width: 1,
      dash: [2, 3],
      points: { show: false }
    },
    ticks: {
      scale: 'ticks',
      fill: () => palette().ticks,
      stroke: () => palette().ticks,
      width: 0,
      points: { show: false },
      ...(uPlot.paths.bars && {
        paths: uPlot.paths.bars({ size: [1, Infinity, 1], align: 1 })
      })
    }
  };
  return range ? [main[look], edge, edge] : [main[look]];
}

/** Two charts of one shape differ in their figures only. */
export function shape({ traces }: IChart): string {
  return traces.map(({ look, range }) => look + (range ? '+' : '')).join();
}

/** Points that no line would show, since both their neighbours are unknown. */
function lonely(): uPlot.Series.Points {
  return {
    show: true,
    size: 3,
    filter: (plot, series) => alone(plot.data[series] ?? [])
  };
}
