/** Points that Page Up and Page Down pass over. */
const PAGE = 20;

/** Where a key leads: to a point, nowhere (null), or it means something else. */
export function target(
  key: string,
  point: number | null,
  last: number
): number | null | undefined {
  const from = point ?? last;
  const before = point === null ? last : from - 1;
  const to = {
    ArrowLeft: before,
    ArrowDown: before,
    ArrowRight: from + 1,
    ArrowUp: from + 1,
    PageUp: from - PAGE,
    PageDown: from + PAGE,
    Home: 0,
    End: last
  }[key];
  if (key === 'Escape') {
    return point === null ? undefined : null;
  }
  return to === undefined ? undefined : Math.min(Math.max(to, 0), last);
}
