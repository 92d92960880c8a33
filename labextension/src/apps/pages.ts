import type { Instance } from './model';

/** What a frame shows: nothing yet, a page of ours, or one of the program. */
export type Page = 'none' | 'ours' | 'program';

/** Whether a page can do its work, can never again, or is to give way to another one. */
export type Verdict = 'works' | 'over' | 'renew';

/**
 * Judges the page in a frame: it belongs to one run of its program, and no other knows it.
 *
 * Pages of ours follow the instance by themselves. What the frame shows and what is known
 * of the instance come on different ways, so either may be ahead of the other.
 */
export class PageLife {
  /** Another page is asked for. */
  begin(): void {
    this._run = undefined;
    this._hasRun = this._isOver = false;
  }

  /** A page has come, of whatever runs now. */
  arrive(): void {
    this._run = undefined;
    this._isOver = false;
  }

  /**
   * Say what becomes of the page.
   *
   * @param instance - null if the server knows none: it is another server than before
   */
  judge(page: Page, instance: Instance | null): Verdict {
    const state = instance?.state ?? 'stopped';
    if (page !== 'program') {
      this._run = undefined;
      this._isOver = false;
      this._hasRun = state === 'running' || (page === 'none' && this._hasRun);
      return 'works';
    }
    switch (state) {
      case 'running':
        this._hasRun = true;
        if (this._run === undefined && !this._isOver) {
          this._run = instance?.started;
        }
        return this.isOf(instance) ? 'works' : 'renew';
      case 'starting':
        // By itself it soon runs again, and there may be something to copy until then.
        return this._isOver || (this._mayEnd && !instance?.reason) ? 'renew' : 'works';
      case 'stopping':
        return this._isOver ? 'over' : 'works';
      default:
        this._isOver ||= this._mayEnd;
        return this._isOver ? 'over' : 'works';
    }
  }

  /** Whether the page is of what runs now, as far as that is known. */
  isOf(instance: Instance | null): boolean {
    const isSame = this._run === undefined || this._run === instance?.started;
    return !this._isOver && instance?.state === 'running' && isSame;
  }

  /** Whether a run was seen that the page can be of; else the news of it are still to come. */
  private get _mayEnd(): boolean {
    return this._hasRun || this._run !== undefined;
  }

  private _hasRun = false;
  private _isOver = false;

  /** When the run began that the page is of; undefined while that is not known. */
  private _run: string | null | undefined;
}
