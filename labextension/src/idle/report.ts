import { Signal, type ISignal } from '@lumino/signaling';

import { networkError, type EinfraError } from '../api/errors';
import type { Requester } from '../api/request';
import type { components } from '../api/schema';
import type { IdleModel } from './model';
import type { Status } from './words';

type Schemas = components['schemas'];

/**
 * What the page shows: asked for when it is seen, and again when the server says
 * something new; never by the clock, which would count as use of the hub.
 */
export class ReportModel {
  constructor(
    private readonly _model: IdleModel,
    private readonly _request: Requester
  ) {
    _model.statusChanged.connect(this._onStatus, this);
  }

  get report(): Schemas['IdleReport'] | null {
    return this._report;
  }

  /** Why there is no report, or no new one. */
  get error(): EinfraError | null {
    return this._error;
  }

  get loading(): boolean {
    return this._loading !== null;
  }

  /** Emits when any of it changes. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Begin to keep it fresh: somebody looks. */
  show(): void {
    if (!this._isSeen) {
      this._isSeen = true;
      void this.load();
    }
  }

  hide(): void {
    this._isSeen = false;
    this._loading?.abort();
    this._loading = null;
  }

  async load(): Promise<void> {
    this._loading?.abort();
    const loading = new AbortController();
    this._loading = loading;
    this._changed.emit();
    try {
      const response = await this._request('idle', { signal: loading.signal });
      const report = (await response.json()) as Schemas['IdleReport'];
      if (loading === this._loading) {
        this._report = report;
        this._error = null;
      }
    } catch (error) {
      if (loading === this._loading) {
        this._error = networkError(error);
      }
    }
    if (loading === this._loading) {
      this._loading = null;
      this._changed.emit();
    }
  }

  dispose(): void {
    this.hide();
    this._model.statusChanged.disconnect(this._onStatus, this);
    Signal.clearData(this);
  }

  private _onStatus(): void {
    const { status } = this._model;
    const isNew = status && this._report && !isSame(status, this._report.status);
    if (this._isSeen && isNew) {
      void this.load();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _error: EinfraError | null = null;
  private _isSeen = false;
  private _loading: AbortController | null = null;
  private _report: Schemas['IdleReport'] | null = null;
}

/** Whether only the time differs at which it was said. */
function isSame(a: Status, b: Status): boolean {
  const timeless = (status: Status): string =>
    JSON.stringify({
      ...status,
      time: '',
      sources: status.sources.map(({ name, reason }) => [name, reason?.code])
    });
  return timeless(a) === timeless(b);
}
