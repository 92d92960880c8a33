import { networkError, type EinfraError } from '../../api/errors';
import type { Requester } from '../../api/request';
import type { components } from '../../api/schema';
import { EventStreamParser } from '../../api/sse';

type Schemas = components['schemas'];
export type LaunchEvent = Schemas['LaunchEvent'];
export type LogEvent = Schemas['LogEvent'];

/** Waits before new attempts, the last one again and again. */
const RETRY_MS = [300, 1_000, 3_000, 10_000] as const;

/** Follows one instance on a stream of its own: its state, and what it prints. */
export class Follower {
  constructor(private readonly _options: Follower.IOptions) {}

  /** Begin to follow; does nothing while it does. */
  start(): void {
    if (!this._controller) {
      const controller = (this._controller = new AbortController());
      void this._follow(controller);
    }
  }

  /** Let go of the connection. */
  stop(): void {
    this._controller?.abort();
    this._controller = null;
    clearTimeout(this._timer);
  }

  private async _follow(controller: AbortController): Promise<void> {
    try {
      const { id, request } = this._options;
      const response = await request(`apps/launch?id=${encodeURIComponent(id)}`, {
        headers: { Accept: 'text/event-stream' },
        signal: controller.signal
      });
      this._options.onLost(null);
      this._failures = 0;
      await this._read(response, controller);
    } catch (error) {
      if (controller === this._controller) {
        this._options.onLost(networkError(error));
      }
    }
    if (controller === this._controller) {
      const wait = RETRY_MS[Math.min(this._failures++, RETRY_MS.length - 1)];
      this._timer = setTimeout(() => void this._follow(controller), wait);
    }
  }

  private async _read(response: Response, controller: AbortController): Promise<void> {
    const reader = response.body?.getReader();
    const parser = new EventStreamParser();
    for (;;) {
      const chunk = await reader?.read();
      if (!chunk?.value || controller !== this._controller) {
        return;
      }
      for (const event of parser.push(chunk.value)) {
        const message = JSON.parse(event.data) as LaunchEvent | LogEvent;
        if (message.type === 'launch') {
          this._options.onTold(message);
        } else {
          this._options.onPrinted(message);
        }
      }
    }
  }

  private _controller: AbortController | null = null;
  private _failures = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

export namespace Follower {
  export interface IOptions {
    /** Of the instance. */
    readonly id: string;

    /** Asks for a path below `jupyter-einfra/`; throws `EinfraError`. */
    readonly request: Requester;

    /** Where the instance stands. */
    readonly onTold: (event: LaunchEvent) => void;

    /** What it printed. */
    readonly onPrinted: (event: LogEvent) => void;

    /** Why the connection was lost, and null when it is there again. */
    readonly onLost: (error: EinfraError | null) => void;
  }
}
