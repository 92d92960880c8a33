import type { TranslationBundle } from '@jupyterlab/translation';

import { make, makeButton } from './elements';
import type { LinkState } from './link';

/** Where the desktop is, and what is said while it is not there. */
export class View {
  constructor(private readonly _options: View.IOptions) {
    this._notice.setAttribute('role', 'status');
    this.node.append(this.screen, this._still, this._notice);
  }

  readonly node = make('main', 'main');

  /** Takes what is drawn. */
  readonly screen = make('div', 'screen');

  /** The present picture, which also takes keys; null while there is none. */
  get canvas(): HTMLCanvasElement | null {
    return this.screen.querySelector('canvas');
  }

  /** Keep the picture while it cannot be followed. */
  keep(canvas: HTMLCanvasElement | null): void {
    this._still.replaceChildren(...(canvas ? [canvas] : []));
  }

  show(state: LinkState): void {
    const { onReload, onRetry, trans } = this._options;
    const { _notice: notice } = this;
    switch (state) {
      case 'connected':
      case 'over':
        notice.replaceChildren();
        this.keep(null);
        break;
      case 'connecting':
        notice.replaceChildren(trans.__('Connecting to the desktop…'));
        break;
      case 'lost':
        notice.replaceChildren(
          trans.__('The connection was lost. It will come back by itself.'),
          makeButton(trans.__('Try now'), onRetry)
        );
        break;
      case 'refused':
        notice.replaceChildren(
          trans.__('You are signed out, or may not see this desktop any more.'),
          makeButton(trans.__('Reload the page'), onReload)
        );
    }
    notice.hidden = notice.childNodes.length === 0;
  }

  private readonly _notice = make('div', 'notice');
  private readonly _still = make('div', 'still');
}

export namespace View {
  export interface IOptions {
    readonly trans: TranslationBundle;
    readonly onRetry: () => void;
    readonly onReload: () => void;
  }
}
