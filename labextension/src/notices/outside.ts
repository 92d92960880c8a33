import type { IDisposable } from '@lumino/disposable';

import type { Remembered } from '../api/remembered';
import { isDone, weight, type ISaid } from './model';

/** The tab that the user looks at has so long to show a notice itself. */
const OTHERS_MS = 1_000;

/** Notices that weigh less can wait until the page is looked at, but for what was asked for. */
const LEAST_WEIGHT = 2;

/** Tells by the browser's own notifications what cannot be seen because the page is hidden. */
export class Outside {
  constructor(private readonly _options: Outside.IOptions) {}

  /** Whether the user wants it; one tab of each server then keeps listening. */
  set isWanted(wanted: boolean) {
    const { allow, keep, turn } = this._options;
    if (wanted && !this._release) {
      allow();
      this._release = turn(() => {
        this._kept = keep();
        return () => {
          this._kept?.dispose();
          this._kept = null;
        };
      });
    } else if (!wanted) {
      this._release?.();
      this._release = null;
    }
  }

  /** Take what holds while the page is hidden. */
  follow(now: readonly ISaid[]): void {
    this._now = now;
    clearTimeout(this._timer);
    if (this._kept && now.length > 0) {
      this._timer = setTimeout(() => {
        this._tell();
      }, OTHERS_MS);
    }
  }

  /** Forget what is not told yet: the page is looked at. */
  stop(): void {
    clearTimeout(this._timer);
  }

  private _tell(): void {
    const { seen, show, told } = this._options;
    const [before, elsewhere] = [told.read(), seen.read()];
    for (const { notice, text } of this._now) {
      const weighs = weight(notice);
      const known = Math.max(before.get(notice.id) ?? 0, elsewhere.get(notice.id) ?? 0);
      if ((weighs >= LEAST_WEIGHT || isDone(notice)) && weighs > known) {
        show(notice.id, text);
        told.add([[notice.id, weighs]]);
      }
    }
  }

  private _kept: IDisposable | null = null;
  private _now: readonly ISaid[] = [];
  private _release: (() => void) | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

export namespace Outside {
  export interface IOptions {
    /** What some tab of this browser has shown. */
    readonly seen: Remembered;

    /** What was told in this way. */
    readonly told: Remembered;

    /** Ask the user for the browser's permission. */
    readonly allow: () => void;

    /** Have notices come while the page is hidden. */
    readonly keep: () => IDisposable;

    /** Begin something once no other tab does it; returns what ends it, or the waiting. */
    readonly turn: (begin: () => () => void) => () => void;

    readonly show: (id: string, text: string) => void;
  }
}
