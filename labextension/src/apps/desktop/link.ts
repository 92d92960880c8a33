/** Pauses between attempts to connect anew; the last one is kept up. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

/** An attempt that takes longer has failed. */
const ATTEMPT_MS = 15_000;

/** How long the server may take to say whether the desktop runs, or to show a sign of life. */
const ANSWER_MS = 5_000;

/** How the desktop is reached: over one connection, for as long as that lasts. */
export interface IConnection {
  /** End it; nothing is told of it any more. */
  close(): void;

  /** Ask for a sign of life, which `onLife` tells. */
  probe(): void;
}

/** What a connection tells. */
export interface IEvents {
  readonly onConnected: () => void;
  readonly onLife: () => void;
  readonly onLost: () => void;
}

/** What the server says of the desktop, once there is no connection to it. */
export type Answer = 'runs' | 'over' | 'refused' | 'away';

/**
 * - `connecting` for the first time;
 * - `connected`;
 * - `lost`: it tries again by itself;
 * - `over`: it does not run;
 * - `refused`: whoever looks on may not, or not any more.
 */
export type LinkState = 'connecting' | 'connected' | 'lost' | 'over' | 'refused';

/** Keeps up a connection to the desktop through sleep and loss of the network. */
export class Link {
  constructor(private readonly _options: Link.IOptions) {}

  get state(): LinkState {
    return this._state;
  }

  start(): void {
    this._connect();
  }

  /** Something has changed: try again now, or see whether the connection still is one. */
  hurry(): void {
    if (this._pause !== null) {
      clearTimeout(this._pause);
      this._pause = null;
      void this._again();
    } else if (this._state === 'connected' && this._watch === null) {
      this._expect(ANSWER_MS);
      this._connection?.probe();
    }
  }

  private _connect(): void {
    // Of an earlier attempt nothing is heard any more.
    const number = ++this._number;
    const isCurrent = (): boolean => number === this._number;
    this._expect(ATTEMPT_MS);
    this._connection = this._options.connect({
      onConnected: () => {
        if (isCurrent()) {
          this._attempts = 0;
          this._calm();
          this._enter('connected');
        }
      },
      onLife: () => {
        if (isCurrent() && this._state === 'connected') {
          this._calm();
        }
      },
      onLost: () => {
        if (isCurrent()) {
          this._lose();
        }
      }
    });
  }

  /** Give the connection up unless a sign of life comes. */
  private _expect(milliseconds: number): void {
    this._calm();
    this._watch = setTimeout(() => {
      this._lose();
    }, milliseconds);
  }

  private _calm(): void {
    if (this._watch !== null) {
      clearTimeout(this._watch);
      this._watch = null;
    }
  }

  private _lose(): void {
    this._number++;
    this._calm();
    this._connection?.close();
    this._connection = null;
    if (this._state === 'connected') {
      this._enter('lost');
      void this._again();
    } else {
      void this._again(true);
    }
  }

  /** Connect anew if there is something to connect to. */
  private async _again(isLater = false): Promise<void> {
    const number = ++this._number;
    const answer = await this._options.ask(ANSWER_MS);
    if (number !== this._number) {
      return;
    }
    switch (answer) {
      case 'runs':
        if (!isLater) {
          this._connect();
          return;
        }
        break;
      case 'over':
      case 'refused':
        this._enter(answer);
        return;
      case 'away':
    }
    this._enter('lost');
    this._wait();
  }

  private _wait(): void {
    const pause = PAUSES_MS[Math.min(this._attempts++, PAUSES_MS.length - 1)];
    this._pause = setTimeout(() => {
      if (this._options.isHidden()) {
        this._wait(); // a tab that nobody sees asks for nothing
      } else {
        this._pause = null;
        void this._again();
      }
    }, pause);
  }

  private _enter(state: LinkState): void {
    if (state !== this._state) {
      this._state = state;
      this._options.onState(state);
    }
  }

  private _attempts = 0;
  private _connection: IConnection | null = null;
  private _number = 0;
  private _pause: ReturnType<typeof setTimeout> | null = null;
  private _state: LinkState = 'connecting';
  private _watch: ReturnType<typeof setTimeout> | null = null;
}

export namespace Link {
  export interface IOptions {
    /** Make a connection. */
    readonly connect: (events: IEvents) => IConnection;

    /** Ask the server about the desktop. */
    readonly ask: (withinMs: number) => Promise<Answer>;

    /** Whether nobody sees the page. */
    readonly isHidden: () => boolean;

    readonly onState: (state: LinkState) => void;
  }
}
