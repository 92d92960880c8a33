import type { components } from '../../api/schema';
import type { IConnectionState, IEinfraStream } from '../../tokens';

/** While the connection is in these states, the server's news does not come. */
const AWAY: readonly IConnectionState['kind'][] = ['lost', 'refused', 'hidden'];

/** Knows when the server remembers something that was not yet loaded; never asks it. */
export class Occasions {
  /**
   * @param stream - tells when the server is back
   * @param lacking - whether the last answer was none
   * @param load - to be called when there is more to load
   */
  constructor(
    private readonly _stream: IEinfraStream,
    private readonly _lacking: () => boolean,
    private readonly _load: () => void
  ) {}

  begin(): void {
    this._notices = null;
    this._wasAway = AWAY.includes(this._stream.state.kind);
    this._stream.stateChanged.connect(this._onState, this);
    this._stream.snapshotChanged.connect(this._onSnapshot, this);
  }

  end(): void {
    this._stream.stateChanged.disconnect(this._onState, this);
    this._stream.snapshotChanged.disconnect(this._onSnapshot, this);
  }

  /** Take the notices that hold now: what they tell of is marked on the charts. */
  hear(notices: readonly components['schemas']['Notice'][]): void {
    const ids = notices
      .map(({ id }) => id)
      .sort()
      .join('\n');
    const before = this._notices;
    this._notices = ids;
    if (before !== null && before !== ids) {
      this._load();
    }
  }

  private _onState(_: IEinfraStream, { kind }: IConnectionState): void {
    this._wasAway ||= AWAY.includes(kind);
  }

  /** Another set of topics brings a snapshot too, and nothing was missed then. */
  private _onSnapshot(): void {
    if (this._wasAway || this._lacking()) {
      this._wasAway = false;
      this._load();
    }
  }

  /** The ids of the notices that hold; null before any were told. */
  private _notices: string | null = null;
  private _wasAway = false;
}
