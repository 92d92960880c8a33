import type { TranslationBundle } from '@jupyterlab/translation';

import { waysOf, type ILink } from '../launch/elements';
import { make, makeButton, Panel } from './elements';
import { ALT, COMBINATIONS, CTRL, press, type IKey, type SendKey } from './keys';
import { isQuality, type Quality } from './quality';

/** How long something that is said stays. */
const SAID_MS = 15_000;

/** The buttons above the desktop. */
export class Bar {
  constructor(private readonly _options: Bar.IOptions) {
    const { links, trans } = _options;
    this._keys = new Panel(trans.__('Keys'), this._keysContent());
    const clipboard = new Panel(trans.__('Clipboard'), this._clipboardContent());
    this._said.setAttribute('role', 'status');
    const ways = waysOf(links, make);
    this._fullScreen = makeButton(trans.__('Full screen'), _options.onFullScreen);
    this._fullScreen.hidden = !document.fullscreenEnabled;
    this.node.append(
      this._keys.node,
      clipboard.node,
      this._qualityChoice(),
      this._fullScreen,
      this._said,
      ways
    );
    document.addEventListener('fullscreenchange', () => {
      this._fullScreen.textContent = document.fullscreenElement
        ? trans.__('Leave full screen')
        : trans.__('Full screen');
    });
  }

  readonly node = make('header', 'bar');

  /** Let the keyboard go to the first button. */
  focus(): void {
    this._keys.button.focus();
  }

  /** Show what both clipboards have. */
  showText(text: string): void {
    if (this._text.value !== text) {
      this._text.value = text;
    }
  }

  /** Say something that is of use now. */
  say(message: string): void {
    clearTimeout(this._saidTimer);
    this._said.textContent = this._said.title = message;
    this._saidTimer = setTimeout(() => {
      this._said.textContent = this._said.title = '';
    }, SAID_MS);
  }

  /** No key is held any more: the desktop of this connection is gone. */
  letGo(): void {
    for (const hold of this._holds) {
      hold.setAttribute('aria-pressed', 'false');
    }
  }

  private _keysContent(): HTMLElement[] {
    const { onLeave, send, trans } = this._options;
    const presses = make('div', 'row');
    presses.append(
      ...Object.entries(COMBINATIONS).map(([name, keys]) =>
        makeButton(name, () => {
          press(keys, send);
          onLeave();
        })
      )
    );
    const holds = make('div', 'row');
    holds.append(
      label(trans.__('Hold down:')),
      this._hold('Ctrl', CTRL),
      this._hold('Alt', ALT)
    );
    const hint = make('p', 'hint');
    hint.textContent = trans.__('Ctrl+Alt+Shift leads from the desktop to these buttons.');
    return [presses, holds, hint];
  }

  private _hold(name: string, key: IKey): HTMLElement {
    const button = makeButton(name, () => {
      const isDown = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(isDown));
      this._options.send(key, isDown);
      this._options.onLeave();
    });
    button.setAttribute('aria-pressed', 'false');
    this._holds.push(button);
    return button;
  }

  private _clipboardContent(): HTMLElement[] {
    const { onPasted, onRead, trans } = this._options;
    const name = make('label', 'label');
    name.textContent = trans.__(
      'What was copied on the desktop, or is to be pasted there:'
    );
    name.htmlFor = this._text.id = 'einfra-desktop-clipboard';
    this._text.rows = 6;
    this._text.spellcheck = false;
    this._text.addEventListener('input', () => {
      onPasted(this._text.value);
    });
    this._text.addEventListener('paste', event => {
      const text = event.clipboardData?.getData('text/plain') ?? '';
      // What is too long would hold up the browser already here.
      if (!this._options.mayPaste(text)) {
        event.preventDefault();
      }
    });
    const row = make('div', 'row');
    if (onRead) {
      row.append(makeButton(trans.__('Take what was copied on this computer'), onRead));
    }
    return [name, this._text, row];
  }

  private _qualityChoice(): HTMLElement {
    const { onQuality, quality, trans } = this._options;
    const choice = make('label', 'choice');
    const select = make('select', 'select');
    const names: Readonly<Record<Quality, string>> = {
      balanced: trans.__('Balanced'),
      sharp: trans.__('Sharp'),
      fast: trans.__('Fast')
    };
    for (const [value, name] of Object.entries(names)) {
      select.append(new Option(name, value, false, value === quality));
    }
    select.addEventListener('change', () => {
      if (isQuality(select.value)) {
        onQuality(select.value);
      }
    });
    choice.append(trans.__('Picture:'), ' ', select);
    return choice;
  }

  private readonly _fullScreen: HTMLButtonElement;
  private readonly _holds: HTMLButtonElement[] = [];
  private readonly _keys: Panel;
  private readonly _said = make('div', 'said');
  private _saidTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly _text = make('textarea', 'text');
}

export namespace Bar {
  export interface IOptions {
    readonly trans: TranslationBundle;
    readonly links: readonly ILink[];
    readonly quality: Quality;

    /** Takes keys for the desktop. */
    readonly send: SendKey;

    /** Takes what the user wrote for the desktop. */
    readonly onPasted: (text: string) => void;

    /** Whether a text is short enough; says so if it is not. */
    readonly mayPaste: (text: string) => boolean;

    /** Take what was copied elsewhere; null where the browser has no way for that. */
    readonly onRead: (() => void) | null;

    readonly onQuality: (quality: Quality) => void;
    readonly onFullScreen: () => void;

    /** The keyboard is to go back to the desktop. */
    readonly onLeave: () => void;
  }
}

function label(text: string): HTMLElement {
  const made = make('span', 'label');
  made.textContent = text;
  return made;
}
