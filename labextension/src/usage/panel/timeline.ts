import { greatest, smallest, type Values } from './values';

/** One figure over time. */
export interface IColumn {
  readonly minimum: Values;
  readonly mean: Values;
  readonly maximum: Values;
}

/** The figures of one moment, by the name of their column. */
export type Readings = ReadonlyMap<string, number | null>;

/** What one column amounts to. */
export interface ISummary {
  readonly minimum: number;
  readonly mean: number;
  readonly maximum: number;
}

/**
 * Figures over time, as the server told them and as they went on since.
 *
 * All times are seconds since 1970. Where no data came for long, a point without any
 * value stands in the gap, so that nobody draws a line across it.
 */
export class Timeline {
  constructor(options: Timeline.IOptions) {
    this._span = options.span;
    this._resolution = options.resolution;
    this._gap = options.gap;
    this._until = options.until;
  }

  /** When each point begins. */
  readonly times: number[] = [];

  get since(): number {
    return this._until - this._span;
  }

  get until(): number {
    return this._until;
  }

  /** Seconds that one point stands for. */
  get resolution(): number {
    return this._resolution;
  }

  /** The column, or one without any value. */
  column(key: string): IColumn {
    return this._columns.get(key) ?? this._blank();
  }

  /** Whether anything was ever known of this. */
  knows(key: string): boolean {
    return this._columns.get(key)?.mean.some(value => value !== null) ?? false;
  }

  /** Smallest, mean and greatest value; null where none is known. */
  summary(key: string): ISummary | null {
    const { minimum, mean, maximum } = this.column(key);
    const known = mean.filter(value => value !== null);
    if (known.length === 0) {
      return null;
    }
    return {
      minimum: smallest(minimum),
      mean: known.reduce((sum, value) => sum + value, 0) / known.length,
      maximum: greatest(maximum)
    };
  }

  /**
   * Take what the server remembers: times in order and one entry for each of them in
   * every list.
   */
  fill(times: readonly number[], columns: ReadonlyMap<string, IColumn>): void {
    const holes = this._push(times);
    for (const [key, column] of columns) {
      this._columns.set(key, {
        minimum: withHoles(column.minimum, holes),
        mean: withHoles(column.mean, holes),
        maximum: withHoles(column.maximum, holes)
      });
    }
    // What the last point was made of is not told: of what there was time for.
    this._weight = Math.max(this._until - (this.times.at(-1) ?? 0), 0);
    this._slide();
  }

  /**
   * Take the next sample into the present point, or begin the next point with it.
   *
   * @param time - when it was taken
   * @param readings - its figures
   * @param seconds - the time that it stands for
   */
  append(time: number, readings: Readings, seconds: number): void {
    const last = this.times.at(-1);
    // Samples that come once a second do not come at the same time in each.
    const room = this._resolution > 1 ? this._resolution : this._resolution / 2;
    if (last === undefined || time - last >= room) {
      this._begin(time, last);
    }
    const point = this.times.length - 1;
    for (const [key, value] of readings) {
      let column = this._columns.get(key);
      if (!column) {
        column = this._blank();
        this._columns.set(key, column);
      }
      if (value !== null) {
        merge(column, point, value, this._weight, seconds);
      }
    }
    this._weight += seconds;
    this._until = Math.max(this._until, time);
    this._slide();
  }

  /** The point nearest to a time, null where there is none. */
  nearest(time: number): number | null {
    let best: number | null = null;
    for (const [point, candidate] of this.times.entries()) {
      const distance = Math.abs(candidate - time);
      if (best === null || distance < Math.abs((this.times[best] ?? 0) - time)) {
        best = point;
      }
    }
    return best;
  }

  private _begin(time: number, last: number | undefined): void {
    const { _resolution: step } = this;
    let begin = time;
    if (step > 1) {
      const origin = last ?? Math.floor(time / step) * step;
      begin = origin + Math.floor((time - origin) / step) * step;
    }
    const holes = this._push([begin]);
    for (const { minimum, mean, maximum } of this._columns.values()) {
      for (const values of [minimum, mean, maximum]) {
        values.push(...(holes.length > 0 ? [null, null] : [null]));
      }
    }
    this._weight = 0;
  }

  /** Add points, and one without values to each gap; return before which of them. */
  private _push(times: readonly number[]): number[] {
    const holes: number[] = [];
    for (const [index, time] of times.entries()) {
      const last = this.times.at(-1);
      if (last !== undefined && time - last > this._gap) {
        this.times.push(last + this._resolution);
        holes.push(index);
      }
      this.times.push(time);
    }
    return holes;
  }

  /** Let go of what is too old to be seen. */
  private _slide(): void {
    const oldest = this.since - this._resolution;
    const keep = this.times.findIndex(time => time >= oldest);
    const drop = keep < 0 ? this.times.length : keep;
    if (drop === 0) {
      return;
    }
    this.times.splice(0, drop);
    for (const { minimum, mean, maximum } of this._columns.values()) {
      minimum.splice(0, drop);
      mean.splice(0, drop);
      maximum.splice(0, drop);
    }
  }

  private _blank(): IColumn {
    const values = (): Values => this.times.map(() => null);
    return { minimum: values(), mean: values(), maximum: values() };
  }

  private readonly _columns = new Map<string, IColumn>();
  private readonly _gap: number;
  private readonly _resolution: number;
  private readonly _span: number;
  private _until: number;
  /** Seconds that the last point is made of so far. */
  private _weight = 0;
}

export namespace Timeline {
  export interface IOptions {
    /** Seconds that are seen. */
    readonly span: number;

    /** Seconds that one point stands for. */
    readonly resolution: number;

    /** Points further apart than this have a gap between them. */
    readonly gap: number;

    /** The end of what is seen. */
    readonly until: number;
  }
}

function withHoles(values: Readonly<Values>, holes: readonly number[]): Values {
  const made: Values = [];
  let begin = 0;
  for (const hole of holes) {
    made.push(...values.slice(begin, hole), null);
    begin = hole;
  }
  made.push(...values.slice(begin));
  return made;
}

function merge(
  column: IColumn,
  point: number,
  value: number,
  weight: number,
  seconds: number
): void {
  const mean = column.mean[point] ?? null;
  const known = mean === null ? 0 : weight;
  column.mean[point] = ((mean ?? 0) * known + value * seconds) / (known + seconds);
  column.minimum[point] = Math.min(column.minimum[point] ?? value, value);
  column.maximum[point] = Math.max(column.maximum[point] ?? value, value);
}
