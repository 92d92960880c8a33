import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';

import { describe } from '../../api/messages';
import type { Requester } from '../../api/request';
import type { components } from '../../api/schema';
import type { IEinfraStream, ISubscription, ITopicMessages, TopicName } from '../../tokens';
import { Figures } from '../figures';
import type { Format } from '../../api/format';
import type { IUsageSettings } from '../settings';
import { Charts } from './charts';
import type { IChart } from './chart';
import { Freshness } from './freshness';
import { History } from './history';
import { Occasions } from './occasions';
import { RANGES, type IRange } from './ranges';
import { historyTroubleOf, troubleOf } from './troubles';

type Schemas = components['schemas'];

/** What the panel knows, for as long as somebody looks at it. */
export class PanelModel {
  constructor(private readonly _options: PanelModel.IOptions) {
    const { format, trans } = _options;
    this._charts = new Charts(trans, format);
    this._figures = new Figures(trans, format);
    this._freshness = new Freshness(_options.stream, () => {
      this._emit();
    });
    this._history = new History(_options.request, trans, RANGES[0]);
    this._occasions = new Occasions(
      _options.stream,
      () => this._history.error !== null,
      () => {
        // Guests are told once that it is not for them.
        if (this._history.error?.status !== 403) {
          void this.load();
        }
      }
    );
  }

  /** Emits when there is something new to show. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The figures over time. */
  get history(): History {
    return this._history;
  }

  /** The range that was asked for last; its figures may still be under way. */
  get range(): IRange {
    return this._range;
  }

  set range(range: IRange) {
    this._range = range;
    void this.load();
  }

  /** Charts of all that is used, empty before the first sample. */
  get shown(): readonly IChart[] {
    return this._shown;
  }

  get details(): Schemas['UsageDetails'] | null {
    return this._details;
  }

  /** Notices about usage that hold now. */
  get notices(): readonly Schemas['Notice'][] {
    return this._notices;
  }

  /** Whether any GPU is here. */
  get hasGpus(): boolean {
    return (this._sample?.gpus.length ?? 0) > 0;
  }

  /** The present figures' words for GPUs, by their uuid. */
  get gpuLabels(): ReadonlyMap<string, string> {
    return new Map(
      this._shown
        .filter(({ key }) => this._sample?.gpus.some(({ uuid }) => uuid === key))
        .map(({ key, title }) => [key, title])
    );
  }

  /** Why nothing new comes, in sentences; empty while all is well. */
  get trouble(): readonly string[] {
    const { format, trans } = this._options;
    return troubleOf(this._freshness.coming, trans, format);
  }

  /** Why there is no history, in sentences. */
  get historyTrouble(): readonly string[] {
    return historyTroubleOf(this._history.error, this._options.trans);
  }

  /** Why kernels are not listed; null while they are, or will be. */
  get detailsTrouble(): string | null {
    const { stream, trans } = this._options;
    const refusal = stream.snapshot?.refused.find(({ topic }) => topic === 'usage-details');
    return refusal && !this._details ? describe(refusal.reason, trans) : null;
  }

  /** Begin to follow: somebody looks. */
  show(): void {
    if (this._subscriptions.length > 0 || this._isDisposed) {
      return;
    }
    this._freshness.begin();
    this._occasions.begin();
    this._subscriptions = [
      this._follow('usage', sample => {
        this._take(sample);
      }),
      this._follow('usage-details', details => {
        this._details = details;
        this._emit();
      }),
      this._follow('notices', ({ notices }) => {
        this._notices = notices.filter(({ feature }) => feature === 'usage');
        this._occasions.hear(this._notices);
        this._emit();
      })
    ];
    void this.load();
  }

  /** Let go of everything: nobody looks. */
  hide(): void {
    this._freshness.end();
    this._occasions.end();
    for (const subscription of this._subscriptions) {
      subscription.dispose();
    }
    this._subscriptions = [];
    this._history.stop();
    // They would be old when the panel is shown again.
    this._details = null;
  }

  /** Ask for the history. */
  async load(): Promise<void> {
    const loaded = this._history.load(this._range);
    this._emit();
    await loaded;
    this._draw();
  }

  /** The history of the present range as a table. */
  async exportTable(): Promise<Blob> {
    const path = `usage/history.csv?${this._history.query(this._range)}`;
    return (await this._options.request(path, {})).blob();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this.hide();
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _follow<T extends TopicName>(
    topic: T,
    take: (message: ITopicMessages[T]) => void
  ): ISubscription<T> {
    const subscription = this._options.stream.subscribe(topic);
    subscription.message.connect((_, message) => {
      take(message);
    });
    return subscription;
  }

  private _take(sample: Schemas['UsageSnapshot']): void {
    this._sample = sample;
    this._freshness.take(sample.interval_seconds);
    if (!this._history.append(sample)) {
      void this.load();
    }
    this._draw();
  }

  private _draw(): void {
    if (this._sample) {
      const { timeline, gpus, range } = this._history;
      const figures = this._figures.of(this._sample, this._options.settings());
      this._shown = this._charts.of(this._sample, figures, timeline, gpus, range);
    }
    this._emit();
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private readonly _charts: Charts;
  private _details: Schemas['UsageDetails'] | null = null;
  private readonly _figures: Figures;
  private readonly _freshness: Freshness;
  private readonly _history: History;
  private _isDisposed = false;
  private _notices: readonly Schemas['Notice'][] = [];
  private readonly _occasions: Occasions;
  private _range: IRange = RANGES[0];
  private _sample: Schemas['UsageSnapshot'] | null = null;
  private _shown: readonly IChart[] = [];
  private readonly _stateChanged = new Signal<this, void>(this);
  private _subscriptions: { dispose(): void }[] = [];
}

export namespace PanelModel {
  export interface IOptions {
    readonly stream: IEinfraStream;
    readonly request: Requester;
    readonly trans: TranslationBundle;
    readonly format: Format;

    /** Where figures begin to warn. */
    readonly settings: () => IUsageSettings;
  }
}
