import { Signal, type ISignal } from '@lumino/signaling';

import { Offer } from '../api/offer';
import type { components } from '../api/schema';
import type { IConnectionState, IEinfraStream, ISubscription } from '../tokens';

type Schemas = components['schemas'];
export type App = Schemas['App'];
export type Instance = Schemas['AppInstance'];
export type Wish = Schemas['OpenWish'];

/** What a tile tells beside its name; `starting` also of one that stops. */
export type Badge = 'running' | 'starting' | 'failed' | 'unknown' | null;

/** How long a loss goes without saying: most are over at once. */
const GRACE_MS = 5_000;

/** What the server says of applications, for as long as somebody wants to know. */
export class AppsModel {
  constructor(private readonly _stream: IEinfraStream) {
    this._offer = new Offer(_stream, 'apps');
    this._offer.changed.connect(this._changeIfOffered, this);
    _stream.stateChanged.connect(this._watchForLoss, this);
  }

  /** Those that can be opened here; none while the server offers none. */
  get installed(): readonly App[] {
    return this._offer.stands ? this._apps.filter(({ installed }) => installed) : [];
  }

  /** All that run, or ran and failed, in the order of their applications. */
  get instances(): readonly Instance[] {
    return this._offer.stands
      ? this._apps.flatMap(({ installed, instances }) =>
          // That it is not installed is told to who goes there, and is no loss.
          instances.filter(one => isAlive(one) || (installed && one.state === 'failed'))
        )
      : [];
  }

  /** What somebody asked for in a terminal. */
  get wishes(): readonly Wish[] {
    return this._wishes;
  }

  /** Whether the server has told anything yet. */
  get isReady(): boolean {
    return this._isReady;
  }

  /** Since when all of this may be out of date, because the server is away; null if not. */
  get lostSince(): Date | null {
    return this._lostSince;
  }

  /** Emits whenever any of it changes. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  app(name: string): App | null {
    return this._apps.find(app => app.name === name) ?? null;
  }

  instance(id: string): Instance | null {
    return (
      this._apps.flatMap(({ instances }) => instances).find(one => one.id === id) ?? null
    );
  }

  /** Begin or cease to ask the server. */
  follow(wanted: boolean): void {
    if (wanted && !this._subscription) {
      this._subscription = this._stream.subscribe('apps');
      this._subscription.message.connect((_, message) => {
        this._apps = message.apps;
        this._wishes = message.wishes;
        this._isReady = true;
        this._lostSince = null;
        this._changed.emit();
      });
    } else if (!wanted && this._subscription) {
      this._subscription.dispose();
      this._subscription = null;
      this._apps = [];
      this._wishes = [];
      this._isReady = false;
      this._lostSince = null;
      this._changed.emit();
    }
  }

  /** What the tile of an application tells now. */
  badge(app: App): Badge {
    const badge = badgeOf(app);
    return badge !== null && this._lostSince ? 'unknown' : badge;
  }

  private _watchForLoss(_: IEinfraStream, { kind, since }: IConnectionState): void {
    if (kind !== 'lost' && kind !== 'refused') {
      clearTimeout(this._timer);
      this._timer = undefined;
    } else if (this._isReady && !this._lostSince) {
      this._timer ??= setTimeout(() => {
        this._timer = undefined;
        this._lostSince = since; // until the server tells anew
        this._changed.emit();
      }, GRACE_MS);
    }
  }

  private _changeIfOffered(): void {
    this._changed.emit();
  }

  private _apps: readonly App[] = [];
  private readonly _changed = new Signal<this, void>(this);
  private _isReady = false;
  private _lostSince: Date | null = null;
  private readonly _offer: Offer;
  private _subscription: ISubscription<'apps'> | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _wishes: readonly Wish[] = [];
}

/** What a tile tells of its application. */
export function badgeOf({ instances }: App): Badge {
  if (instances.some(({ state }) => state === 'failed')) {
    return 'failed';
  }
  if (instances.some(({ state }) => state === 'running')) {
    return 'running';
  }
  return instances.some(isAlive) ? 'starting' : null;
}

/** Whether something of it runs, or is about to, or not yet at its end. */
export function isAlive({ state }: Pick<Instance, 'state'>): boolean {
  return state === 'starting' || state === 'running' || state === 'stopping';
}

/** Whether it failed, and nobody has seen to it yet. */
export function isFailed({ state }: Pick<Instance, 'state'>): boolean {
  return state === 'failed';
}
