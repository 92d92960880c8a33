const HOUR_MS = 3_600_000;

/** Least distance of two words on the axis. */
const TICK_PX = 68;

const TICK_HOURS = [1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 672, 1344];

/** Where the axis has words: at whole hours or days, as near as they can be read. */
export function ticksOf(
  from: number,
  to: number,
  x: (time: number) => number
): { x: number; time: Date }[] {
  const pixels = (x(to) - x(from)) / (to - from);
  const hours = TICK_HOURS.find(step => step * HOUR_MS * pixels >= TICK_PX);
  if (hours === undefined) {
    return [];
  }
  const first = new Date(from);
  const ticks = [];
  for (let hour = 0; ; hour += hours) {
    // By the calendar: a day may have 23 or 25 hours.
    const time = new Date(first.getFullYear(), first.getMonth(), first.getDate(), hour);
    if (time.getTime() > to) {
      return ticks;
    }
    if (time.getTime() >= from) {
      ticks.push({ x: x(time.getTime()), time });
    }
  }
}
