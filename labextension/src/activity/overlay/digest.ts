import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';

import { networkError, type EinfraError } from '../../api/errors';
import type { components } from '../../api/schema';
import type { Requester } from '../../api/request';
import type { ActivityModel, Status } from '../model';
import { queryOf } from './sparkline';

type Schemas = components['schemas'];
export type Digest = Schemas['Digest'];

/** Sections that are worth to be shown to somebody who has not asked. */
const NEWS = new Set(['attention', 'finished', 'running']);

/** As many ids as the server takes. */
const MOST_SEEN = 100;

/** What happened, asked for once; the figures of that time follow when they come. */
export class DigestModel {
  constructor(private readonly _options: DigestModel.IOptions) {
    this.wasAway = (_options.activity.status?.away_since ?? null) !== null;
  }

  /** Whether it tells of an absence: it begins when the user was last here. */
  readonly wasAway: boolean;

  /** Whether the server knows that the user has seen it. */
  isSeen = false;

  /** Emits when there is something else to show. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get digest(): Digest | null {
    return this._digest;
  }

  /** Why there is none, or why the last wish came to nothing. */
  get error(): EinfraError | null {
    return this._error;
  }

  /** What was used in that time; null while that is not known. */
  get history(): Schemas['UsageHistory'] | null {
    return this._history;
  }

  get hasNews(): boolean {
    return this._digest?.sections.some(({ name }) => NEWS.has(name)) ?? false;
  }

  /** Whether the server records what happens. */
  get isRecording(): boolean {
    const { status } = this._options.activity;
    return status?.recording ?? this._digest?.recording ?? true;
  }

  /** Ask the server. */
  async load(): Promise<void> {
    this._error = null;
    this._changed.emit();
    try {
      await this.take(await this._options.request('activity/digest', {}));
    } catch (error) {
      this._error = networkError(error);
    }
    this._changed.emit();
  }

  /** Take what the server has told. */
  async take(response: Response): Promise<void> {
    this._digest = (await response.json()) as Digest;
    void this._loadHistory(this._digest);
  }

  /** Tell the server that the user has seen it: once. */
  async see(): Promise<void> {
    const digest = this._digest;
    if (!digest || this.isSeen) {
      return;
    }
    this.isSeen = true;
    const facts = digest.sections
      .filter(({ name }) => name === 'attention')
      .flatMap(section => section.facts.map(({ id }) => id))
      .slice(0, MOST_SEEN);
    const body = JSON.stringify({ until: digest.time, facts });
    try {
      await this._change('activity/seen', { method: 'POST', body });
    } catch (error) {
      console.warn('jupyter-einfra: it cannot be noted what was seen.', error);
    }
  }

  /** Whether there is something that the user was not shown before. */
  get hasUnseen(): boolean {
    return (
      this._digest?.sections.some(
        ({ facts, name }) => NEWS.has(name) && facts.some(({ seen }) => !seen)
      ) ?? false
    );
  }

  /** What is told of kernels, as the notices plugin takes it; null where nothing is. */
  get told(): ReadonlyJSONObject | null {
    const facts = this._digest?.sections.flatMap(section => section.facts) ?? [];
    const kernelsOf = (pattern: RegExp): string[] =>
      facts.flatMap(({ code, kernel_id: id }) => (id && pattern.test(code) ? [id] : []));
    return (
      this._digest && {
        deaths: kernelsOf(/^kernel_/),
        runs: kernelsOf(/^(run_failed|run_stopped|runs_finished)$/),
        until: this._digest.time
      }
    );
  }

  /** Begin or end to record. */
  async record(recording: boolean): Promise<void> {
    this._error = null;
    try {
      const body = JSON.stringify({ recording });
      await this._change('activity/recording', { method: 'PUT', body });
    } catch (error) {
      this._error = networkError(error);
    }
    this._changed.emit();
  }

  private async _change(path: string, init: RequestInit): Promise<void> {
    const { activity, request } = this._options;
    activity.status = (await (await request(path, init)).json()) as Status;
  }

  private async _loadHistory(digest: Digest): Promise<void> {
    const query = queryOf(digest);
    if (!this._options.hasUsage() || query === null) {
      return;
    }
    try {
      const response = await this._options.request(`usage/history?${query}`, {});
      this._history = (await response.json()) as Schemas['UsageHistory'];
      this._changed.emit();
    } catch (error) {
      // The words tell all that is needed.
      console.warn('jupyter-einfra: the figures of that time cannot be loaded.', error);
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _digest: Digest | null = null;
  private _error: EinfraError | null = null;
  private _history: Schemas['UsageHistory'] | null = null;
}

export namespace DigestModel {
  export interface IOptions {
    readonly activity: ActivityModel;
    readonly request: Requester;

    /** Whether the server has figures over time. */
    readonly hasUsage: () => boolean;
  }
}
