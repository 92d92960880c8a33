import { Signal, type ISignal } from '@lumino/signaling';

import { Offer } from '../api/offer';
import type { components } from '../api/schema';
import type { IEinfraStream, ISubscription } from '../tokens';

type Schemas = components['schemas'];
export type App = Schemas['App'];
export type Instance = Schemas['AppInstance'];
export type Wish = Schemas['OpenWish'];

/** What a tile tells beside its name. */
export type Badge = 'running' | 'failed' | null;

/** What the server says of applications, for as long as somebody wants to know. */
export class AppsModel {
  constructor(private readonly _stream: IEinfraStream) {
    this._offer = new Offer(_stream, 'apps');
    this._offer.changed.connect(this._changeIfOffered, this);
  }

  /** Those that can be opened here; none while the server offers none. */
  get installed(): readonly App[] {
    return this._offer.stands ? this._apps.filter(({ installed }) => installed) : [];
  }

  /** All that run, or ran and failed, in the order of their applications. */
  get instances(): readonly Instance[] {
    return this._offer.stands
      ? this._apps.flatMap(({ instances }) => instances).filter(isOfInterest)
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
        this._changed.emit();
      });
    } else if (!wanted && this._subscription) {
      this._subscription.dispose();
      this._subscription = null;
      this._apps = [];
      this._wishes = [];
      this._isReady = false;
      this._changed.emit();
    }
  }

  private _changeIfOffered(): void {
    this._changed.emit();
  }

  private _apps: readonly App[] = [];
  private readonly _changed = new Signal<this, void>(this);
  private _isReady = false;
  private readonly _offer: Offer;
  private _subscription: ISubscription<'apps'> | null = null;
  private _wishes: readonly Wish[] = [];
}

/** What a tile tells of its application. */
export function badgeOf({ instances }: App): Badge {
  if (instances.some(({ state }) => state === 'failed')) {
    return 'failed';
  }
  return instances.some(isAlive) ? 'running' : null;
}

/** Whether something of it runs. */
export function isAlive({ state }: Pick<Instance, 'state'>): boolean {
  return state === 'starting' || state === 'running' || state === 'stopping';
}

function isOfInterest(instance: Instance): boolean {
  return isAlive(instance) || instance.state === 'failed';
}
