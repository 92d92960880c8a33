import type { components } from '../api/schema';

/** One evaluation, or the deletion, on the lane below the figures. */
export interface IMark {
  readonly x: number;
  readonly radius: number;
  readonly time: Date;

  /** What it leaves of the counter; null for a deletion that no evaluation makes. */
  readonly counter: number | null;

  readonly kind: 'idle' | 'used' | 'deletion';

  /** Whether the operator told of it; else it is estimated. */
  readonly known: boolean;

  /** Whether it is yet to come. */
  readonly ahead: boolean;

  /** Whether the number fits into it. */
  readonly roomy: boolean;
}

const LARGEST = 10;
const SMALLEST = 3;

/** Circles from this size on have their number in them. */
const ROOMY = 8;

/** An evaluation this near the deletion is what leads to it. */
const SAME_MS = 600_000;

/** Evaluations as circles; where they are many, smaller ones, and not all of them. */
export function marksOf(
  { evaluations, status }: components['schemas']['IdleReport'],
  now: number,
  x: (time: number) => number
): IMark[] {
  const end = status.delete_at === null ? null : new Date(status.delete_at);
  const all = evaluations.map(({ time, counter, used, known }): IMark => {
    const at = new Date(time);
    const deletes = end !== null && Math.abs(at.getTime() - end.getTime()) < SAME_MS;
    return {
      x: x(at.getTime()),
      radius: LARGEST,
      time: at,
      counter,
      kind: deletes ? 'deletion' : used ? 'used' : 'idle',
      known,
      ahead: at.getTime() > now,
      roomy: true
    };
  });
  if (end && !all.some(({ kind }) => kind === 'deletion')) {
    all.push({
      x: x(end.getTime()),
      radius: LARGEST,
      time: end,
      counter: null,
      kind: 'deletion',
      known: !status.is_estimate,
      ahead: end.getTime() > now,
      roomy: true
    });
  }
  const gaps = all.slice(1).map((mark, index) => mark.x - (all[index]?.x ?? 0));
  const radius = Math.min(LARGEST, Math.max(SMALLEST, Math.min(...gaps) / 2 - 2));
  const kept: IMark[] = [];
  // From the end: the deletion is what matters most.
  for (const mark of [...all].reverse()) {
    const before = kept[0];
    if (!before || before.x - mark.x >= 2 * radius) {
      kept.unshift({
        ...mark,
        radius: mark.kind === 'deletion' ? Math.max(radius, ROOMY) : radius,
        roomy: radius >= ROOMY || mark.kind === 'deletion'
      });
    }
  }
  return kept;
}
