import { describe, expect, it } from 'vitest';

import { hours, idleReport, idleStatus, NOW } from '../testing/idle';
import { pictureOf, type IPicture } from './picture';

function draw(...change: Parameters<typeof idleReport>): IPicture {
  const picture = pictureOf(idleReport(...change), NOW, 800);
  if (!picture) {
    throw new Error('There is no picture.');
  }
  return picture;
}

/** The heights that an outline goes to. */
function heights({ area }: IPicture): number[] {
  return [...area.matchAll(/V([\d.]+)H/g)].map(([, height]) => Number(height));
}

describe('evaluations', () => {
  it('lead up to the deletion', () => {
    const { marks, endX, plot } = draw();
    expect(marks.map(({ counter, kind }) => `${counter} ${kind}`)).toEqual([
      '0 used',
      '1 idle',
      '2 idle',
      '3 idle',
      '4 idle',
      '5 deletion'
    ]);
    expect(marks.map(({ ahead }) => ahead)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true
    ]);
    expect(marks.map(({ known }) => known).slice(0, 3)).toEqual([true, true, false]);
    expect(endX).toBe(plot.right);
    expect(marks.at(-1)?.x).toBe(endX);
  });

  it('have the deletion apart where it follows later', () => {
    const { marks } = draw({ delete_at: hours(70), source: 'file', is_estimate: false });
    expect(marks.slice(-2).map(({ counter, kind }) => [counter, kind])).toEqual([
      [5, 'idle'],
      [null, 'deletion']
    ]);
  });

  it('never lie on each other, however many they are', () => {
    const evaluations = Array.from({ length: 1000 }, (_, index) => ({
      time: hours(-60 + (index + 1) * 0.1219),
      counter: index,
      used: false,
      known: false
    }));
    const { marks } = draw({}, { evaluations });
    expect(marks.length).toBeGreaterThan(50);
    expect(marks.at(-1)?.kind).toBe('deletion');
    marks.slice(1).forEach((mark, index) => {
      expect(mark.x - (marks[index]?.x ?? 0)).toBeGreaterThanOrEqual(2 * 3);
    });
    expect(marks[0]?.roomy).toBe(false);
  });
});

describe('times', () => {
  it('run on to the right', () => {
    const { band, marks, nowX, plot, ticks } = draw();
    const places = ticks.map(({ x }) => x);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(marks.map(({ x }) => x)).toEqual(marks.map(({ x }) => x).sort((a, b) => a - b));
    expect(band?.left).toBeLessThan(nowX);
    expect(band?.right).toBeGreaterThan(nowX);
    expect(nowX).toBeGreaterThan(plot.left);
  });

  it.each([
    ['a year ahead', 8760, 0.3],
    ['an hour ahead', 1, 0.7]
  ])('leave room for what was and what comes: %s', (_, ahead, expected) => {
    const { nowX, plot } = draw({ delete_at: hours(ahead) }, { evaluations: [] });
    const share = (nowX - plot.left) / (plot.right - plot.left);
    expect(share).toBeCloseTo(expected);
  });

  it('go on where nothing is known of what comes', () => {
    const { nowX, plot, endX, band } = draw(
      { delete_at: null, next_evaluation_at: null },
      { evaluations: [] }
    );
    expect([endX, band]).toEqual([null, null]);
    expect(nowX).toBeLessThan(plot.right);
  });
});

describe('figures', () => {
  it('lie below the threshold if they are less, and above if more', () => {
    const picture = draw({}, { values: [0, 0.004, 0.0999, 0.1001, 16] });
    const [zero = 0, tiny = 0, below = 0, above = 0, most = 0] = heights(picture);
    expect(zero).toBe(picture.plot.bottom);
    expect(zero - tiny).toBeGreaterThan(5);
    expect(below).toBeGreaterThanOrEqual(picture.thresholdY);
    expect(above).toBeLessThanOrEqual(picture.thresholdY);
    expect(above - most).toBeGreaterThan(40);
    expect(most).toBeGreaterThanOrEqual(picture.plot.top);
    expect(picture.peak?.value).toBe(16);
  });

  it('have the threshold in sight, though it be nothing', () => {
    const { policy } = idleStatus();
    const rule = policy?.rule && { ...policy.rule, threshold: 0, idle_at_threshold: true };
    const change = { policy: policy && { ...policy, rule: rule ?? null } };
    for (const values of [[0, 0], [0, 0.0001], [null]]) {
      const picture = draw(change, { values });
      expect(picture.thresholdY).toBeLessThan(picture.plot.bottom - 5);
      expect(heights(picture).every(Number.isFinite)).toBe(true);
    }
  });

  it('have gaps where they are not known, and end now', () => {
    const values = [1, null, null, 1, ...Array.from({ length: 400 }, () => 1)];
    const picture = draw({}, { values });
    expect(picture.area.match(/M/g)).toHaveLength(2);
    expect(picture.area.match(/Z/g)).toHaveLength(2);
    const ends = [...picture.area.matchAll(/H([\d.]+)/g)].map(([, x]) => Number(x));
    expect(Math.max(...ends)).toBeCloseTo(picture.nowX, 0);
    expect(draw({}, { values: [null] })).toMatchObject({ area: '', peak: null });
  });
});

it('shows no rule that is not known', () => {
  const policy = { revision: '2030', text: 'New rules.', rule: null };
  expect(pictureOf(idleReport({ policy }), NOW, 800)).toBeNull();
});
