import type uPlot from 'uplot';

import type { IChart } from './chart';
import type { IPalette } from './colours';
import type { IMark } from './marks';

/** Size of the words on a chart, in CSS pixels. */
export const FONT_SIZE = 10;

/** How each kind of mark is drawn; lengths in CSS pixels. */
const LOOKS = {
  event: { colour: 'mark', dash: [], width: 1 },
  loss: { colour: 'loss', dash: [], width: 2 },
  moment: { colour: 'text', dash: [4, 2], width: 2 },
  start: { colour: 'mark', dash: [1, 3], width: 1 }
} as const;

/** The line on which a chart stands. */
export function paintGround({ ctx, bbox }: uPlot, palette: IPalette): void {
  const bottom = bbox.top + bbox.height;
  ctx.save();
  ctx.strokeStyle = palette.grid;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(bbox.left, bottom);
  ctx.lineTo(bbox.left + bbox.width, bottom);
  ctx.stroke();
  ctx.restore();
}

/** What happened, as thin lines; and the words for the limit. */
export function paintMarks(
  plot: uPlot,
  limit: IChart['mark'],
  marks: readonly IMark[],
  palette: IPalette
): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  for (const { time, kind } of marks) {
    const x = Math.round(plot.valToPos(time, 'x', true)) + ratio / 2;
    if (x < bbox.left || x > bbox.left + bbox.width + ratio) {
      continue;
    }
    const { colour, dash, width } = LOOKS[kind];
    ctx.strokeStyle = palette[colour];
    ctx.lineWidth = width * ratio;
    ctx.setLineDash(dash.map(length => length * ratio));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  const y = plot.valToPos(limit.value, 'y', true) + 2 * ratio;
  ctx.font = `${FONT_SIZE * ratio}px ${palette.font}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  ctx.fillStyle = palette.background;
  const { width } = ctx.measureText(limit.text);
  ctx.fillRect(bbox.left, y, width + 4 * ratio, FONT_SIZE * ratio);
  ctx.fillStyle = palette.text;
  ctx.fillText(limit.text, bbox.left + 2 * ratio, y);
  ctx.restore();
}
