import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type {
  IConnectionState,
  IEinfraStream,
  ISubscription,
  ITopicMessages,
  Snapshot,
  TopicName
} from '../tokens';
import type { IPage } from './page';
import { EinfraError, networkError } from './errors';
import type { Requester } from './request';
import { EventStreamParser, type IServerSentEvent } from './sse';

/**
 * Time for further subscriptions to gather before the connection is opened.
 *
 * Those of a new page follow one after the other, as their settings are loaded.
 */
const FIRST_GATHER_MS = 500;
const GATHER_MS = 20;

/** Longest silence; the server writes a comment every 15 s. */
const SILENCE_MS = 45_000;

/** Wait before the first and before the most patient new attempt. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/**
 * Wait after a refusal. Asking sooner helps nobody, and each reply that completes
 * may count as activity of the user with the hub.
 */
const REFUSED_RETRY_MS = 60_000;

/** A connection that held this long was a success: the next wait is short again. */
const STEADY_MS = 10_000;

/** One try to hold a connection. */
interface IAttempt {
  readonly topics: string;
  readonly controller: AbortController;
  openedAt: number | null;
  watchdog: ReturnType<typeof setTimeout> | undefined;
}

/** The one connection of a page, opened only while somebody listens and looks. */
export class EinfraStream implements IEinfraStream, IDisposable {
  constructor(options: EinfraStream.IOptions) {
    this._page = options.page;
    this._request = options.request;
    this._random = options.random ?? Math.random;
    this._page.visibleChanged.connect(this._wake, this);
    this._page.online.connect(this._wake, this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get state(): IConnectionState {
    return this._state;
  }

  get stateChanged(): ISignal<this, IConnectionState> {
    return this._stateChanged;
  }

  get snapshot(): Snapshot | null {
    return this._snapshot;
  }

  get snapshotChanged(): ISignal<this, Snapshot> {
    return this._snapshotChanged;
  }

  subscribe<T extends TopicName>(topic: T): ISubscription<T> {
    const subscription = new Subscription<T>(topic, () => {
      this._subscriptions.delete(subscription);
      this._gather();
    });
    this._subscriptions.add(subscription);
    this._gather();
    // After the caller has connected. The server sends it only to a new connection.
    queueMicrotask(() => {
      const latest = this._latest.get(topic);
      if (latest && !subscription.isDisposed) {
        subscription.emit(latest as ITopicMessages[T]);
      }
    });
    return subscription;
  }

  keepWhileHidden(topic: TopicName): IDisposable {
    const kept = new DisposableDelegate(() => {
      this._kept.delete(kept);
      this._gather();
    });
    this._kept.set(kept, topic);
    this._gather();
    return kept;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._close();
    clearTimeout(this._timer);
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** Come back at once: the page is seen again, or the network is there again. */
  private _wake(): void {
    this._failures = 0;
    this._refresh();
  }

  private _gather(): void {
    if (this._hasOpened) {
      this._schedule(GATHER_MS);
    } else if (this._timer === undefined) {
      // Counted from the first one: those that follow do not put it off.
      this._schedule(FIRST_GATHER_MS);
    }
  }

  private _schedule(delay: number): void {
    clearTimeout(this._timer);
    if (!this._isDisposed) {
      this._timer = setTimeout(() => {
        this._refresh();
      }, delay);
    }
  }

  /** Make the connection carry what is wanted now. */
  private _refresh(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
    const { left, visible } = this._page;
    const kept = new Set(left ? [] : this._kept.values());
    const wanted = [...this._subscriptions]
      .map(({ topic }) => topic)
      .filter(topic => visible || kept.has(topic));
    const topics = [...new Set(wanted)].sort().join(',');
    if (!visible) {
      this._setState(this._subscriptions.size === 0 ? 'idle' : 'hidden');
    }
    if (topics === '') {
      this._close();
      if (visible) {
        this._setState('idle');
      }
    } else if (this._attempt?.topics !== topics) {
      this._close();
      void this._open(topics);
    } else if (visible && this._attempt.openedAt !== null) {
      this._setState('open');
    }
  }

  private async _open(topics: string): Promise<void> {
    const controller = new AbortController();
    const attempt: IAttempt = { topics, controller, openedAt: null, watchdog: undefined };
    this._attempt = attempt;
    this._hasOpened = true;
    const { visible } = this._page;
    if (visible && this._state.kind !== 'lost' && this._state.kind !== 'refused') {
      this._setState('connecting');
    }
    this._watch(attempt);
    try {
      const response = await this._request(`stream?topics=${encodeURIComponent(topics)}`, {
        headers: {
          Accept: 'text/event-stream',
          ...(this._lastEventId && { 'Last-Event-ID': this._lastEventId })
        },
        signal: controller.signal
      });
      await this._read(response, attempt);
      throw new EinfraError({ code: 'stream_ended', message: 'The stream ended.' });
    } catch (error) {
      this._fail(attempt, networkError(error));
    }
  }

  private async _read(response: Response, attempt: IAttempt): Promise<void> {
    const type = response.headers.get('Content-Type') ?? '';
    if (!response.body || !type.startsWith('text/event-stream')) {
      // A proxy's sign-in page, for one.
      throw unreadable(`the reply is of type "${type}"`);
    }
    const reader = response.body.getReader();
    const parser = new EventStreamParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || attempt !== this._attempt) {
        return;
      }
      this._watch(attempt);
      for (const event of parser.push(value)) {
        this._receive(event, attempt);
      }
      this._lastEventId = parser.lastEventId || this._lastEventId;
    }
  }

  private _receive(event: IServerSentEvent, attempt: IAttempt): void {
    let message: { type: string };
    try {
      message = JSON.parse(event.data) as { type: string };
    } catch {
      throw unreadable(`the event "${event.event}" is not JSON`);
    }
    if (event.event === 'snapshot') {
      attempt.openedAt ??= Date.now();
      this._snapshot = message as Snapshot;
      if (this._page.visible) {
        this._setState('open');
      }
      this._snapshotChanged.emit(this._snapshot);
      return;
    }
    this._latest.set(event.event, message as ITopicMessages[TopicName]);
    for (const subscription of [...this._subscriptions]) {
      if (subscription.topic === event.event) {
        subscription.emit(message as ITopicMessages[TopicName]);
      }
    }
  }

  /** Give the server its time from now on. */
  private _watch(attempt: IAttempt): void {
    clearTimeout(attempt.watchdog);
    attempt.watchdog = setTimeout(() => {
      const message = `Nothing came for ${SILENCE_MS / 1000} s.`;
      this._fail(attempt, new EinfraError({ code: 'stream_silent', message }));
    }, SILENCE_MS);
  }

  private _fail(attempt: IAttempt, error: EinfraError): void {
    if (attempt !== this._attempt) {
      return; // Closed on purpose.
    }
    this._close();
    if (attempt.openedAt !== null && Date.now() - attempt.openedAt >= STEADY_MS) {
      this._failures = 0;
    }
    const refused = error.status !== null && error.status >= 400 && error.status < 500;
    if (this._page.visible) {
      this._setState(refused ? 'refused' : 'lost', error);
    }
    const longest = refused
      ? REFUSED_RETRY_MS
      : Math.min(FIRST_RETRY_MS * 2 ** this._failures++, LAST_RETRY_MS);
    // Pages that lost the same server must not come back in step.
    this._schedule(longest * (0.75 + 0.25 * this._random()));
  }

  private _close(): void {
    const attempt = this._attempt;
    this._attempt = null;
    this._latest.clear();
    clearTimeout(attempt?.watchdog);
    attempt?.controller.abort();
  }

  private _setState(kind: IConnectionState['kind'], error?: EinfraError): void {
    const since = kind === this._state.kind ? this._state.since : new Date();
    if (since === this._state.since && !error) {
      return;
    }
    this._state = error ? { kind, since, error } : { kind, since };
    this._stateChanged.emit(this._state);
  }

  private _attempt: IAttempt | null = null;
  private _failures = 0;
  private _hasOpened = false;
  private _isDisposed = false;
  private readonly _kept = new Map<IDisposable, TopicName>();
  private _lastEventId = '';
  /** What this connection has said last of each topic; all are states so far. */
  private readonly _latest = new Map<string, ITopicMessages[TopicName]>();
  private readonly _page: IPage;
  private readonly _random: () => number;
  private readonly _request: EinfraStream.IOptions['request'];
  private _snapshot: Snapshot | null = null;
  private readonly _snapshotChanged = new Signal<this, Snapshot>(this);
  private _state: IConnectionState = { kind: 'idle', since: new Date() };
  private readonly _stateChanged = new Signal<this, IConnectionState>(this);
  private readonly _subscriptions = new Set<Subscription<TopicName>>();
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

export namespace EinfraStream {
  export interface IOptions {
    readonly page: IPage;

    /** Ask for a path below `<base>/jupyter-einfra/`; throws `EinfraError`. */
    readonly request: Requester;

    /** 0 to 1; spreads the attempts of many pages. */
    readonly random?: () => number;
  }
}

class Subscription<T extends TopicName> implements ISubscription<T> {
  constructor(
    readonly topic: T,
    private readonly _onDispose: () => void
  ) {}

  get message(): ISignal<this, ITopicMessages[T]> {
    return this._message;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  emit(message: ITopicMessages[T]): void {
    this._message.emit(message);
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    Signal.clearData(this);
    this._onDispose();
  }

  private _isDisposed = false;
  private readonly _message = new Signal<this, ITopicMessages[T]>(this);
}

function unreadable(why: string): EinfraError {
  return new EinfraError({
    code: 'stream_unreadable',
    message: `The stream cannot be read: ${why}.`
  });
}
