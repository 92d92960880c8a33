import type { TranslationBundle } from '@jupyterlab/translation';

import { EinfraError, networkError } from '../../api/errors';
import type { Requester } from '../../api/request';
import type { components } from '../../api/schema';
import { emptyTimeline, readingsOf, secondsOf, timelineOf } from './columns';
import type { Gpu } from './device-charts';
import { marksOf, type IMark } from './marks';
import type { IRange } from './ranges';
import type { Timeline } from './timeline';

type Schemas = components['schemas'];

/** Samples that may come while the history is under way. */
const MOST_WAITING = 120;

/** A sample this much later than the one before means that some were missed. */
const MISSED_SECONDS = 15;

/** A blank part of the range that needs no word. */
const EMPTY_PART = 0.1;

/** Points that stand for long are drawn anew this many times while they last. */
const DRAWINGS_PER_POINT = 20;

/**
 * The figures over time: what the server remembers, and what came since.
 *
 * Asked for once; then it goes on by the samples of the stream.
 */
export class History {
  constructor(
    private readonly _request: Requester,
    private readonly _trans: TranslationBundle,
    range: IRange
  ) {
    this._range = range;
    this._timeline = emptyTimeline(range, Date.now() / 1000);
  }

  get range(): IRange {
    return this._range;
  }

  get timeline(): Timeline {
    return this._timeline;
  }

  get marks(): readonly IMark[] {
    return this._marks;
  }

  /** GPUs that the history knows. */
  get gpus(): readonly Gpu[] {
    return this._gpus;
  }

  /** Whether the server's answer is under way. */
  get loading(): boolean {
    return this._loading !== null;
  }

  /** Why there is no history; null while all is well. */
  get error(): EinfraError | null {
    return this._error;
  }

  /** When the figures begin, where that is well after what is seen; else null. */
  get begun(): number | null {
    const { since, until, times } = this._timeline;
    const first = times[0] ?? since;
    const late = first - since > EMPTY_PART * (until - since);
    return late && !this._error && !this.loading ? first : null;
  }

  /** Changes with everything that is worth drawing anew. */
  get version(): number {
    return this._version;
  }

  /** Ask the server for what it remembers; the figures so far stay until it answers. */
  async load(range: IRange = this._range): Promise<void> {
    this._loading?.abort();
    const loading = new AbortController();
    this._loading = loading;
    this._waiting = [];
    // The answer tells all until now: a sample far from it shows that the clock of the
    // browser is wrong.
    this._last = this._now();
    try {
      const path = `usage/history?${this.query(range)}`;
      const response = await this._request(path, { signal: loading.signal });
      const history = (await response.json()) as Schemas['UsageHistory'];
      if (loading === this._loading) {
        this._take(timelineOf(history, range), range);
        this._marks = marksOf(history, this._trans);
        this._gpus = history.gpus;
        this._error = null;
      }
    } catch (error) {
      if (loading === this._loading) {
        if (range !== this._range || this._timeline.times.length === 0) {
          this._take(emptyTimeline(range, this._now()), range);
          this._marks = [];
          this._gpus = [];
        }
        this._error = networkError(error);
      }
    } finally {
      if (loading === this._loading) {
        this._loading = null;
      }
    }
  }

  /** Take note that nobody looks any more. */
  stop(): void {
    this._loading?.abort();
    this._loading = null;
    this._last = null;
  }

  /** Take the next sample; false if what was loaded does not lead up to it. */
  append(sample: Schemas['UsageSnapshot']): boolean {
    const time = secondsOf(sample.time);
    const seconds = sample.interval_seconds;
    const most = Math.max(MISSED_SECONDS, 1.5 * seconds);
    const missed = this._last !== null && Math.abs(time - this._last) > most;
    this._last = time;
    this._skew = time - Date.now() / 1000;
    // What ends later was begun by a clock that is wrong.
    if (this._timeline.until > time + most) {
      this._timeline = emptyTimeline(this._range, time);
    }
    if (this._loading) {
      this._waiting = [...this._waiting, sample].slice(-MOST_WAITING);
    }
    this._timeline.append(time, readingsOf(sample), seconds);
    const pause = this._timeline.resolution / DRAWINGS_PER_POINT;
    if (Math.abs(time - this._drawn) >= pause) {
      this._drawn = time;
      this._version++;
    }
    return !missed;
  }

  /** The range as the server wants it, by the server's clock. */
  query(range: IRange = this._range): string {
    const until = this._now();
    const since = new Date((until - range.seconds) * 1000).toISOString();
    return `since=${encodeURIComponent(since)}`;
  }

  private _take(timeline: Timeline, range: IRange): void {
    for (const sample of this._waiting) {
      const time = secondsOf(sample.time);
      if (time > timeline.until) {
        timeline.append(time, readingsOf(sample), sample.interval_seconds);
      }
    }
    this._waiting = [];
    this._timeline = timeline;
    this._range = range;
    this._version++;
  }

  private _now(): number {
    return Date.now() / 1000 + this._skew;
  }

  private _drawn = 0;
  private _error: EinfraError | null = null;
  private _gpus: readonly Gpu[] = [];
  /** When the last sample was taken. */
  private _last: number | null = null;
  private _loading: AbortController | null = null;
  private _marks: readonly IMark[] = [];
  private _range: IRange;
  /** Seconds that the server's clock is ahead of the browser's. */
  private _skew = 0;
  private _timeline: Timeline;
  private _version = 0;
  private _waiting: Schemas['UsageSnapshot'][] = [];
}
