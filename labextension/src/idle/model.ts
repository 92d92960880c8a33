import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';

import { describe } from '../api/messages';
import { Offer } from '../api/offer';
import type { IConnectionState, IEinfraStream, ISubscription } from '../tokens';
import { isOwnCount, type IdleWords, type Status } from './words';

/** What the status bar shows. */
export type IdleView =
  | { readonly kind: 'hidden' }
  | {
      readonly kind: 'shown';
      readonly level: Status['level'];
      readonly text: string;
      readonly title: string;

      /** Whether it may be out of date, because the server is away. */
      readonly stale: boolean;
    };

/** How long a loss goes without saying: most are over at once. */
const GRACE_MS = 5_000;

/** Words such as "in 40 min" hold no longer. */
const MINUTE_MS = 60_000;

/** Knows what the server last said of its deletion, and puts it into words. */
export class IdleModel {
  constructor(private readonly _options: IdleModel.IOptions) {
    const { stream } = _options;
    this._offer = new Offer(stream, 'idle');
    this._offer.changed.connect(this._update, this);
    this._subscription = stream.subscribe('idle');
    this._subscription.message.connect((_, status) => {
      this._status = status;
      this._lostSince = null;
      this._statusChanged.emit();
      this._update();
    });
    stream.stateChanged.connect(this._watchForLoss, this);
    this._shown = _options.shown;
  }

  /** What the server last said; null before, and where it does not tell this user. */
  get status(): Status | null {
    return this._offer.stands ? this._status : null;
  }

  /** Whether there is a policy, without which nothing of this is to be seen. */
  get hasPolicy(): boolean {
    return (this.status?.policy ?? null) !== null;
  }

  /** Whether it is known that there is nothing to be seen here. */
  get isAbsent(): boolean {
    return !this._offer.stands || (this._status !== null && !this.hasPolicy);
  }

  /** Whether the user wants it in the status bar. */
  set shown(shown: boolean) {
    this._shown = shown;
    this._update();
  }

  get view(): IdleView {
    return this._view;
  }

  /** The last change for the worse, in words, for those who hear the page. */
  get announcement(): string {
    return this._announcement;
  }

  /** Emits when there is something new to show. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** Emits when the server has said something. */
  get statusChanged(): ISignal<this, void> {
    return this._statusChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._turn);
    clearTimeout(this._loss);
    this._subscription.dispose();
    Signal.clearData(this);
  }

  private _watchForLoss(_: IEinfraStream, { kind, since }: IConnectionState): void {
    if (kind !== 'lost' && kind !== 'refused') {
      clearTimeout(this._loss);
      this._loss = undefined;
    } else if (this._status && !this._lostSince) {
      this._loss ??= setTimeout(() => {
        this._loss = undefined;
        this._lostSince = since; // until the server tells anew
        this._update();
      }, GRACE_MS);
    }
    if (kind === 'connecting' || kind === 'open') {
      this._update(); // it may have been hidden for days
    }
  }

  private _update(): void {
    clearTimeout(this._turn);
    if (this._isDisposed) {
      return;
    }
    const before = this._view;
    this._view = this._look();
    if (this._view.kind === 'shown' && this._options.stream.state.kind !== 'hidden') {
      this._turn = setTimeout(() => {
        this._update();
      }, MINUTE_MS);
    }
    if (JSON.stringify(before) !== JSON.stringify(this._view)) {
      this._announce(before);
      this._stateChanged.emit();
    } else if (this.hasPolicy !== this._hadPolicy || this.isAbsent !== this._wasAbsent) {
      this._stateChanged.emit();
    }
    this._hadPolicy = this.hasPolicy;
    this._wasAbsent = this.isAbsent;
  }

  private _look(): IdleView {
    const { status } = this;
    if (!status || !this.hasPolicy || !this._shown) {
      return { kind: 'hidden' };
    }
    return {
      kind: 'shown',
      level: status.level,
      text: this._options.words.brief(status, this._options.now()),
      title: this._title(status).join('\n'),
      stale: this._lostSince !== null
    };
  }

  /** Whose word it is and how old, and the counter. */
  private _title(status: Status): string[] {
    const { now, stream, trans, words } = this._options;
    const { error } = stream.state;
    const time = (when: Date): string => words.format.time(when, now());
    const counter = words.counter(status);
    const told = status.sources.find(({ name }) => name === status.source)?.time;
    return [
      ...(this._lostSince
        ? [`${trans.__('No data since %1', time(this._lostSince))}.`]
        : []),
      ...(this._lostSince && error ? [describe(error, trans)] : []),
      words.answer(status, now()),
      ...(status.level === 'unknown' && status.reason ? [words.reason(status.reason)] : []),
      ...(counter === null ? [] : [trans.__('Found unused: %1', counter)]),
      ...(status.source === null ? [] : [words.source(status.source)]),
      ...(told && !isOwnCount(status) ? [trans.__('Told: %1', time(new Date(told)))] : []),
      trans.__('Click for more.')
    ];
  }

  private _announce(before: IdleView): void {
    const now = this._view;
    const wasAlarmed = before.kind === 'shown' && before.level === 'hour';
    if (now.kind !== 'shown' || (before.kind === 'shown' && before.level === now.level)) {
      return;
    }
    if (now.level === 'day' || now.level === 'hour' || wasAlarmed) {
      this._announcement = now.text;
    }
  }

  private _announcement = '';
  private _hadPolicy = false;
  private _isDisposed = false;
  private _loss: ReturnType<typeof setTimeout> | undefined;
  private _lostSince: Date | null = null;
  private readonly _offer: Offer;
  private _shown: boolean;
  private readonly _stateChanged = new Signal<this, void>(this);
  private _status: Status | null = null;
  private readonly _statusChanged = new Signal<this, void>(this);
  private readonly _subscription: ISubscription<'idle'>;
  private _turn: ReturnType<typeof setTimeout> | undefined;
  private _view: IdleView = { kind: 'hidden' };
  private _wasAbsent = false;
}

export namespace IdleModel {
  export interface IOptions {
    readonly stream: IEinfraStream;
    readonly trans: TranslationBundle;
    readonly words: IdleWords;

    /** Whether the user wants it in the status bar. */
    readonly shown: boolean;

    readonly now: () => Date;
  }
}
