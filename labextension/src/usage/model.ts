import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';

import { describe } from '../api/messages';
import type { components } from '../api/schema';
import type { IConnectionState, IEinfraStream, ISubscription } from '../tokens';
import { Figures, type IFigure } from './figures';
import type { Format } from '../api/format';
import type { IUsageSettings } from './settings';

/** What the status bar shows. */
export type UsageView =
  | { readonly kind: 'hidden' }
  | { readonly kind: 'waiting'; readonly text: string; readonly title: string }
  | {
      readonly kind: 'stale';
      readonly text: string;
      readonly title: string;
      readonly figures: readonly IFigure[];
    }
  | { readonly kind: 'live'; readonly figures: readonly IFigure[] };

/** An item that would vanish at once should not flash up: a server may not have us. */
const PATIENCE_MS = 1_000;

/** How long a loss, or a sample that is due, goes without saying. */
const GRACE_MS = 5_000;

/** Replies that mean: there is nothing here for you. */
const NOT_FOR_YOU = [401, 403, 404];

/** Knows what can be said about usage now, and what cannot any more. */
export class UsageModel {
  constructor(options: UsageModel.IOptions) {
    this._stream = options.stream;
    this._trans = options.trans;
    this._format = options.format;
    this._figures = new Figures(options.trans, options.format);
    this._settings = options.settings;
    this._seenSince = Date.now();
    this._stream.stateChanged.connect(this._onState, this);
    this._stream.snapshotChanged.connect(this._update, this);
    this._follow();
    this._update();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Emits when there is something new to show. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get view(): UsageView {
    return this._view;
  }

  /** Every figure of the last sample, also those that the status bar leaves out. */
  get allFigures(): readonly IFigure[] {
    return this._shown;
  }

  /** The last change of a level, in words, for those who hear the page. */
  get announcement(): string {
    return this._announcement;
  }

  get settings(): IUsageSettings {
    return this._settings;
  }

  set settings(settings: IUsageSettings) {
    this._settings = settings;
    this._follow();
    this._measure();
    this._update();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._subscription?.dispose();
    Signal.clearData(this);
  }

  /** Hold the topic only while the item is wanted. */
  private _follow(): void {
    if (this._settings.show && !this._subscription) {
      this._seenSince = Date.now();
      this._subscription = this._stream.subscribe('usage');
      this._subscription.message.connect((_, sample) => {
        this._sample = sample;
        this._sampledAt = Date.now();
        this._measure();
        this._update();
      });
    } else if (!this._settings.show) {
      this._subscription?.dispose();
      this._subscription = null;
    }
  }

  /** Turn the sample into figures, and say so where a level changed. */
  private _measure(): void {
    if (!this._sample) {
      return;
    }
    const before = new Map(this._shown.map(({ key, level }) => [key, level]));
    this._shown = this._figures.of(this._sample, this._settings);
    const changed = this._shown.filter(
      ({ key, level }) => level !== (before.get(key) ?? 'normal')
    );
    if (changed.length > 0) {
      this._announcement = changed.map(({ summary }) => summary).join('. ');
    }
  }

  private _onState(_: IEinfraStream, state: IConnectionState): void {
    if (state.kind === 'open') {
      this._turnedAway = false;
    } else if (state.kind === 'refused') {
      this._turnedAway = NOT_FOR_YOU.includes(state.error?.status ?? 0);
    }
    const hidden = state.kind === 'hidden';
    if (this._wasHidden && !hidden) {
      // Samples are only due from now on.
      this._seenSince = Date.now();
    }
    this._wasHidden = hidden;
    this._update();
  }

  private _update(): void {
    clearTimeout(this._timer);
    if (this._isDisposed || this._stream.state.kind === 'hidden') {
      return; // Nobody looks, and nothing is late.
    }
    this._view = this._look();
    this._stateChanged.emit();
  }

  private _look(): UsageView {
    if (!this._settings.show || this._turnedAway || !this._isOn()) {
      return { kind: 'hidden' };
    }
    return this._sample ? this._lookAtSample(this._sample) : this._lookAhead();
  }

  private _lookAhead(): UsageView {
    const shownAt = this._seenSince + PATIENCE_MS;
    if (this._stream.state.kind !== 'open' && Date.now() < shownAt) {
      this._updateAt(shownAt);
      return { kind: 'hidden' };
    }
    return {
      kind: 'waiting',
      text: this._trans.__('Usage: waiting…'),
      title: [
        this._trans.__(
          'Waiting for the first figures since %1.',
          this._time(this._seenSince)
        ),
        ...this._trouble()
      ].join('\n')
    };
  }

  private _lookAtSample(sample: components['schemas']['UsageSnapshot']): UsageView {
    const figures = this._shown.filter(({ kind }) => this._isWanted(kind));
    if (figures.length === 0) {
      return { kind: 'hidden' };
    }
    const staleAt = this._staleAt(sample.interval_seconds);
    if (sample !== this._stale && Date.now() < staleAt) {
      this._updateAt(staleAt);
      return { kind: 'live', figures };
    }
    this._stale = sample;
    return {
      kind: 'stale',
      text: this._trans.__('No data since %1', this._time(this._sampledAt)),
      title: [
        ...this._trouble(),
        this._trans.__('Last known figures:'),
        ...figures.map(({ summary }) => summary)
      ].join('\n'),
      figures
    };
  }

  private _staleAt(intervalSeconds: number): number {
    const { kind, since } = this._stream.state;
    const from = Math.max(this._sampledAt, this._seenSince);
    const due = from + Math.max(3 * intervalSeconds * 1000, GRACE_MS);
    return kind === 'lost' || kind === 'refused'
      ? Math.min(due, since.getTime() + GRACE_MS)
      : due;
  }

  private _isOn(): boolean {
    const { snapshot } = this._stream;
    const feature = snapshot?.features.find(({ name }) => name === 'usage');
    if (feature?.state === 'failed' && !this._toldFailure) {
      this._toldFailure = true;
      console.info(
        `jupyter-einfra: ${feature.reason?.message ?? 'usage could not start.'}`
      );
    }
    const refused = snapshot?.refused.some(({ topic }) => topic === 'usage') ?? false;
    return !refused && (feature?.state ?? 'on') === 'on';
  }

  private _isWanted(kind: IFigure['kind']): boolean {
    const { showCpu, showMemory, showGpu } = this._settings;
    return { cpu: showCpu, memory: showMemory, gpu: showGpu }[kind];
  }

  /** Why no data comes, where that is known. */
  private _trouble(): string[] {
    const { error } = this._stream.state;
    return error ? [describe(error, this._trans)] : [];
  }

  private _time(when: number): string {
    return this._format.time(new Date(when), new Date());
  }

  private _updateAt(when: number): void {
    this._timer = setTimeout(() => {
      this._update();
    }, when - Date.now());
  }

  private _announcement = '';
  private readonly _figures: Figures;
  private readonly _format: Format;
  private _isDisposed = false;
  private _sample: components['schemas']['UsageSnapshot'] | null = null;
  private _sampledAt = 0;
  /** Since when somebody has looked, by the browser's clock. */
  private _seenSince: number;
  private _settings: IUsageSettings;
  private _shown: IFigure[] = [];
  /** A sample that was called stale; only a new one makes the item live again. */
  private _stale: components['schemas']['UsageSnapshot'] | null = null;
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _stream: IEinfraStream;
  private _subscription: ISubscription<'usage'> | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _toldFailure = false;
  private readonly _trans: TranslationBundle;
  private _turnedAway = false;
  private _view: UsageView = { kind: 'hidden' };
  private _wasHidden = false;
}

export namespace UsageModel {
  export interface IOptions {
    readonly stream: IEinfraStream;
    readonly trans: TranslationBundle;
    readonly format: Format;
    readonly settings: IUsageSettings;
  }
}
