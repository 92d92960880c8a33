import { Signal, type ISignal } from '@lumino/signaling';

import { Offer } from '../api/offer';
import type { components } from '../api/schema';
import type { IEinfraStream } from '../tokens';
import type { IActivitySettings } from './settings';

export type Status = components['schemas']['ActivityStatus'];

/** Whether a user who has come back is to be told without asking. */
export function isWorthTelling(status: Status, settings: IActivitySettings): boolean {
  const { away_since: since, attention, back_at: back, news, time } = status;
  if (!settings.show || since === null || attention + news === 0) {
    return false;
  }
  const hours = (Date.parse(back ?? time) - Date.parse(since)) / 3_600_000;
  return hours >= settings.awayHours || (settings.attention && attention > 0);
}

/** What the server says of the user's absence, and of what it records. */
export class ActivityModel {
  constructor(stream: IEinfraStream) {
    this._offer = new Offer(stream, 'activity');
    this._offer.changed.connect(() => {
      this._changed.emit();
    });
    stream.subscribe('activity').message.connect((_, status) => {
      this.status = status;
    });
  }

  /** Emits when the server says something else. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether the server offers it to this user: it has said so. */
  get isOffered(): boolean {
    return this._offer.stands && this._status !== null;
  }

  /** What it last said; null before it has. */
  get status(): Status | null {
    return this._status;
  }

  /** Take what a request was answered with, too. */
  set status(status: Status | null) {
    this._status = status;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _offer: Offer;
  private _status: Status | null = null;
}
