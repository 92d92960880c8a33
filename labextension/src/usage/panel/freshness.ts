import type { IConnectionState, IEinfraStream } from '../../tokens';
import type { IComing } from './troubles';

/** How long a sample that is due goes without saying. */
const GRACE_MS = 5_000;

/** Knows when the last sample came, and whether the next one is overdue. */
export class Freshness {
  /**
   * @param stream - what samples come by
   * @param changed - to be called when there is something else to say
   */
  constructor(
    private readonly _stream: IEinfraStream,
    private readonly _changed: () => void
  ) {}

  /** What is known now. */
  get coming(): IComing {
    return {
      state: this._stream.state,
      since: this._since,
      last: this._last,
      stale: this._stale
    };
  }

  /** Begin to look. */
  begin(): void {
    this._since = Date.now();
    this._wasHidden = this._stream.state.kind === 'hidden';
    this._stream.stateChanged.connect(this._onState, this);
    if (this._last !== null) {
      // Old figures must not pass for new ones.
      this._expect(this._last + this._grace - this._since);
    }
  }

  /** Look no more. */
  end(): void {
    clearTimeout(this._timer);
    this._stream.stateChanged.disconnect(this._onState, this);
  }

  /** Take note of a sample, after which the next one is due in so many seconds. */
  take(seconds: number): void {
    this._last = Date.now();
    this._stale = false;
    this._grace = Math.max(3000 * seconds, GRACE_MS);
    this._expect(this._grace);
  }

  /** Give the next sample its time from now on. */
  private _expect(milliseconds: number): void {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      // While nobody sees the page, none is due.
      this._stale ||= this._stream.state.kind !== 'hidden';
      this._changed();
    }, milliseconds);
  }

  private _onState(_: IEinfraStream, { kind }: IConnectionState): void {
    if (this._wasHidden && kind !== 'hidden' && this._last !== null) {
      this._expect(this._grace);
    }
    this._wasHidden = kind === 'hidden';
    this._changed();
  }

  private _grace = GRACE_MS;
  private _last: number | null = null;
  /** Since when somebody looks. */
  private _since = Date.now();
  private _stale = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _wasHidden = false;
}
