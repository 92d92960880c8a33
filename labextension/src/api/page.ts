import { Signal, type ISignal } from '@lumino/signaling';

/** What the stream needs to know about the page that it lives in. */
export interface IPage {
  /** Whether somebody can see the page. */
  readonly visible: boolean;

  /** Whether it was left, and at most lies frozen for the way back. */
  readonly left: boolean;

  /** Emits when `visible` or `left` may have changed. */
  readonly visibleChanged: ISignal<IPage, void>;

  /** Emits when the browser is on a network again. */
  readonly online: ISignal<IPage, void>;
}

/** The page of a browser. */
export class BrowserPage implements IPage {
  constructor() {
    document.addEventListener('visibilitychange', () => {
      this._visibleChanged.emit();
    });
    window.addEventListener('online', () => {
      this._online.emit();
    });
    // A page that goes away may be kept, frozen, for the way back.
    window.addEventListener('pagehide', () => {
      this._left = true;
      this._visibleChanged.emit();
    });
    window.addEventListener('pageshow', () => {
      this._left = false;
      this._visibleChanged.emit();
    });
  }

  get visible(): boolean {
    return !this._left && document.visibilityState === 'visible';
  }

  get left(): boolean {
    return this._left;
  }

  get visibleChanged(): ISignal<this, void> {
    return this._visibleChanged;
  }

  get online(): ISignal<this, void> {
    return this._online;
  }

  private _left = false;
  private readonly _online = new Signal<this, void>(this);
  private readonly _visibleChanged = new Signal<this, void>(this);
}
