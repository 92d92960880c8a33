import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { EinfraError } from '../api/errors';
import type {
  IConnectionState,
  IEinfraStream,
  ISubscription,
  ITopicMessages,
  Snapshot,
  TopicName
} from '../tokens';

/** A subscription to a stream that a test plays. */
export class PlayedSubscription implements ISubscription<TopicName> {
  constructor(readonly topic: TopicName) {}

  readonly message = new Signal<this, ITopicMessages[TopicName]>(this);
  isDisposed = false;

  dispose(): void {
    this.isDisposed = true;
  }
}

/** A stream that a test plays. */
export class PlayedStream implements IEinfraStream {
  state: IConnectionState = { kind: 'idle', since: new Date() };
  snapshot: Snapshot | null = null;
  readonly stateChanged = new Signal<this, IConnectionState>(this);
  readonly snapshotChanged = new Signal<this, Snapshot>(this);
  readonly subscriptions: PlayedSubscription[] = [];

  /** The topics that somebody listens to now. */
  get topics(): string[] {
    return this.subscriptions
      .filter(({ isDisposed }) => !isDisposed)
      .map(({ topic }) => topic)
      .sort();
  }

  subscribe<T extends TopicName>(topic: T): ISubscription<T> {
    const subscription = new PlayedSubscription(topic);
    this.subscriptions.push(subscription);
    return subscription as unknown as ISubscription<T>;
  }

  /** The topics that come while the page is hidden, too. */
  readonly kept = new Set<TopicName>();

  keepWhileHidden(topic: TopicName): IDisposable {
    this.kept.add(topic);
    return new DisposableDelegate(() => {
      this.kept.delete(topic);
    });
  }

  become(kind: IConnectionState['kind'], error?: EinfraError): void {
    this.state = { kind, since: new Date(), ...(error && { error }) };
    this.stateChanged.emit(this.state);
  }

  open(
    state: Snapshot['features'][number]['state'] = 'on',
    refused: Snapshot['refused'] = []
  ): void {
    this.openWith('usage', state, refused);
  }

  openWith(
    feature: string,
    state: Snapshot['features'][number]['state'] = 'on',
    refused: Snapshot['refused'] = []
  ): void {
    this.snapshot = {
      type: 'snapshot',
      time: new Date().toISOString(),
      version: '1',
      features: [{ name: feature, state, reason: null }],
      topics: [],
      refused,
      events_lost: false
    };
    this.become('open');
    this.snapshotChanged.emit(this.snapshot);
  }

  send(message: ITopicMessages[TopicName]): void {
    for (const subscription of this.subscriptions) {
      if (subscription.topic === message.type && !subscription.isDisposed) {
        subscription.message.emit(message);
      }
    }
  }
}
