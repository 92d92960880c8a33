import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { EinfraError } from './api/errors';
import type { components } from './api/schema';

/** The first event of every connection: which features the server has on. */
export type Snapshot = components['schemas']['SnapshotEvent'];

/** What each topic of the stream carries. */
export interface ITopicMessages {
  activity: components['schemas']['ActivityStatus'];
  apps: components['schemas']['AppsEvent'];
  idle: components['schemas']['IdleStatus'];
  notices: components['schemas']['NoticesEvent'];
  usage: components['schemas']['UsageSnapshot'];
  'usage-details': components['schemas']['UsageDetails'];
}

/** The name of a topic, which is also the `type` of its messages. */
export type TopicName = keyof ITopicMessages;

/**
 * Where the one connection to the server stands.
 *
 * - idle: nobody listens to any topic, so there is no connection
 * - connecting: the first attempt, or another set of topics, is under way
 * - open: the snapshot has arrived
 * - lost: it broke; a new attempt follows by itself
 * - hidden: closed on purpose while the page cannot be seen
 * - refused: the server said no; asked again once in a while
 */
export interface IConnectionState {
  readonly kind: 'idle' | 'connecting' | 'open' | 'lost' | 'hidden' | 'refused';

  /** When this state began, by the browser's clock. */
  readonly since: Date;

  /** Why it is lost or refused. */
  readonly error?: EinfraError;
}

/** One listener's hold on a topic; dispose of it to let go. */
export interface ISubscription<T extends TopicName> extends IDisposable {
  /** Emits each message of the topic, the latest known one first. */
  readonly message: ISignal<ISubscription<T>, ITopicMessages[T]>;
}

/** Live data of the server, over one connection that all features share. */
export interface IEinfraStream {
  readonly state: IConnectionState;
  readonly stateChanged: ISignal<IEinfraStream, IConnectionState>;

  /** The snapshot of the present or the last connection, if there was one. */
  readonly snapshot: Snapshot | null;
  readonly snapshotChanged: ISignal<IEinfraStream, Snapshot>;

  /** Ask for a topic. The connection is opened, or opened anew, to carry it. */
  subscribe<T extends TopicName>(topic: T): ISubscription<T>;

  /**
   * Let a topic come while the page is hidden, too, for as long as this is not disposed.
   *
   * The state stays `hidden` then. Browsers allow few connections to a server: one page of
   * all may do so, and only if its user wants it.
   */
  keepWhileHidden(topic: TopicName): IDisposable;
}

/** The token by which plugins get the stream. */
export const IEinfraStream = new Token<IEinfraStream>(
  '@e-infra/jupyter-einfra:IEinfraStream',
  'Live data of jupyter-einfra: one server-sent-event stream shared by all features of a page.'
);
