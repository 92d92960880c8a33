/** One value for each point of time; null where it is not known, and in gaps. */
export type Values = (number | null)[];

/** The smallest value; infinite where none is known. */
export function smallest(values: Readonly<Values>): number {
  let found = Infinity;
  for (const value of values) {
    found = value !== null && value < found ? value : found;
  }
  return found;
}

/** The greatest value; minus infinity where none is known. */
export function greatest(values: Readonly<Values>): number {
  let found = -Infinity;
  for (const value of values) {
    found = value !== null && value > found ? value : found;
  }
  return found;
}

/** Where a value stands between unknown ones. */
export function alone(values: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  for (let point = 0; point < values.length; point++) {
    const known = (at: number): boolean => (values[at] ?? null) !== null;
    if (known(point) && !known(point - 1) && !known(point + 1)) {
      found.push(point);
    }
  }
  return found;
}
