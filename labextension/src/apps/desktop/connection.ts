import RFB from '@novnc/novnc';

import type { Answer, IConnection, IEvents } from './link';
import { LEVELS, type Quality } from './quality';

/**
 * A request for one pixel, which is always answered: type, not only what is new, place, size.
 *
 * Source: RFC 6143, section 7.5.3
 */
const PROBE = new Uint8Array([3, 0, 0, 0, 0, 0, 0, 1, 0, 1]);

/** One connection to the desktop, drawn by noVNC. */
export class Connection implements IConnection {
  constructor(screen: HTMLElement, url: string, options: Connection.IOptions) {
    this._socket = new WebSocket(url);
    this.rfb = new RFB(screen, this._socket, { shared: true });
    this.rfb.background = 'transparent';
    this.rfb.focusOnClick = false;
    this.rfb.scaleViewport = true; // until the desktop has the size of the window
    this.setQuality(options.quality);
    const { events } = options;
    this._socket.addEventListener('message', events.onLife);
    const canvas = screen.querySelector('canvas');
    this.rfb.addEventListener('connect', () => {
      this._isConnected = true;
      this.fit(screen);
      events.onConnected();
    });
    this.rfb.addEventListener('disconnect', () => {
      options.onEnd(this._isConnected ? canvas : null);
      events.onLost();
    });
    this.rfb.addEventListener('clipboard', event => {
      options.onText((event as CustomEvent<{ text: string }>).detail.text);
    });
  }

  readonly rfb: RFB;

  close(): void {
    this.rfb.disconnect();
  }

  probe(): void {
    if (this._socket.readyState === WebSocket.OPEN) {
      this._socket.send(PROBE);
    }
  }

  /** Have the desktop be as large as the window; not while a tab of Lab is hidden. */
  fit({ clientHeight, clientWidth }: HTMLElement): void {
    this.rfb.resizeSession = clientHeight > 0 && clientWidth > 0;
  }

  setQuality(quality: Quality): void {
    const { compression, quality: level } = LEVELS[quality];
    this.rfb.qualityLevel = level;
    this.rfb.compressionLevel = compression;
  }

  private _isConnected = false;
  private readonly _socket: WebSocket;
}

export namespace Connection {
  export interface IOptions {
    readonly quality: Quality;
    readonly events: IEvents;

    /** Takes what was copied on the desktop. */
    readonly onText: (text: string) => void;

    /** It is over; takes the last picture, if there was one. */
    readonly onEnd: (canvas: HTMLCanvasElement | null) => void;
  }
}

/** Ask the server whether the desktop runs. */
export async function ask(url: string, withinMs: number): Promise<Answer> {
  try {
    const { status, type } = await fetch(url, {
      cache: 'no-store',
      redirect: 'manual', // to the page where one signs in
      signal: AbortSignal.timeout(withinMs)
    });
    if (status === 404) {
      return 'runs'; // but nothing is there without a WebSocket
    }
    if (type === 'opaqueredirect' || status === 401 || status === 403) {
      return 'refused';
    }
    return status === 503 ? 'over' : 'away';
  } catch {
    return 'away';
  }
}
