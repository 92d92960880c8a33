/** How long the text of a paste may take to come after its keys. */
const PASTE_MS = 150;

const MODIFIERS = ['Alt', 'Control', 'Shift'];

/**
 * Takes the keyboard for the desktop.
 *
 * A field that can be written in, which nobody sees: only into such a one do browsers
 * compose what takes several keys, as a caron and an n, and paste without being asked for a
 * permission. All other keys go on as they came.
 */
export class Keyboard {
  constructor(private readonly _options: Keyboard.IOptions) {
    const { label } = _options;
    const { node } = this;
    node.className = 'jp-EinfraDesktop-keyboard';
    node.setAttribute('aria-label', label);
    node.autocapitalize = 'off';
    node.autocomplete = 'off';
    node.spellcheck = false;
    node.addEventListener('keydown', event => {
      this._onDown(event);
    });
    node.addEventListener('keyup', event => {
      this._down.delete(event.code);
      this._pass(event);
    });
    node.addEventListener('compositionend', event => {
      this._type(event.data);
    });
    node.addEventListener('input', event => {
      const { inputType, isComposing } = event as InputEvent;
      if (!isComposing && inputType !== 'insertCompositionText') {
        this._type(node.value);
      }
    });
    node.addEventListener('paste', event => {
      event.preventDefault();
      this._paste(event.clipboardData?.getData('text/plain') ?? '');
    });
    node.addEventListener('blur', () => {
      this.release();
    });
  }

  readonly node = document.createElement('textarea');

  focus(): void {
    this.node.focus({ preventScroll: true });
  }

  /** Let go of all keys: what happens to them is not seen any more. */
  release(): void {
    this._held = null;
    for (const key of this._down.values()) {
      this._pass(new KeyboardEvent('keyup', key));
    }
    this._down.clear();
  }

  private _onDown(event: KeyboardEvent): void {
    // Composed: the text comes when it is complete. 229 is what virtual keyboards say.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing else tells
    if (event.isComposing || event.keyCode === 229 || event.key === 'Dead') {
      return;
    }
    const { altKey, ctrlKey, key, shiftKey } = event;
    if (altKey && ctrlKey && shiftKey && MODIFIERS.includes(key)) {
      event.preventDefault();
      this.release();
      this._options.onLeave();
      return;
    }
    if (isPaste(event) && this._options.canPaste()) {
      // The browser pastes into the field first, so that the desktop has the text in time.
      this._held = event;
      setTimeout(() => {
        this._passHeld(event);
      }, PASTE_MS);
      return;
    }
    this._passDown(event);
  }

  private _passDown(event: KeyboardEvent): void {
    const { code, key, location } = event;
    this._down.set(code, { code, key, location });
    this._pass(event);
  }

  private _paste(text: string): void {
    const held = this._held;
    // What cannot be had there must not be pasted: it would be what was copied before.
    if (text !== '' && !this._options.onPaste(text)) {
      this._held = null;
    } else if (held) {
      this._passHeld(held);
    }
  }

  private _passHeld(event: KeyboardEvent): void {
    if (this._held === event) {
      this._held = null;
      this._passDown(event);
    }
  }

  private _type(text: string): void {
    this.node.value = '';
    if (text !== '') {
      this._options.onText(text);
    }
  }

  /** Give a key to the desktop as if it had come there. */
  private _pass(event: KeyboardEvent): void {
    const copy = new KeyboardEvent(event.type, {
      altKey: event.altKey,
      cancelable: true,
      code: event.code,
      ctrlKey: event.ctrlKey,
      key: event.key,
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- old ones tell only this
      keyCode: event.keyCode,
      location: event.location,
      metaKey: event.metaKey,
      modifierAltGraph: event.getModifierState('AltGraph'),
      modifierCapsLock: event.getModifierState('CapsLock'),
      modifierNumLock: event.getModifierState('NumLock'),
      repeat: event.repeat,
      shiftKey: event.shiftKey
    });
    const screen = this._options.screen();
    if (screen && !screen.dispatchEvent(copy)) {
      event.preventDefault();
    }
  }

  /** What is pressed, by its place. */
  private readonly _down = new Map<string, KeyboardEventInit>();

  /** Waits for the text that is to be pasted. */
  private _held: KeyboardEvent | null = null;
}

export namespace Keyboard {
  export interface IOptions {
    /** For who cannot see. */
    readonly label: string;

    /** What keys go to; null while there is none. */
    readonly screen: () => HTMLElement | null;

    /** Whether texts can be pasted now. */
    readonly canPaste: () => boolean;

    /** Takes what is pasted; returns whether the desktop has it now. */
    readonly onPaste: (text: string) => boolean;

    /** Takes what was composed. */
    readonly onText: (text: string) => void;

    /** The user wants the keyboard to be elsewhere. */
    readonly onLeave: () => void;
  }
}

/** Whether the browser pastes on these keys. */
export function isPaste({
  altKey,
  code,
  ctrlKey,
  key,
  metaKey,
  shiftKey
}: KeyboardEvent): boolean {
  if (altKey) {
    return false;
  }
  const isV = key.toLowerCase() === 'v' || (key.length > 1 && code === 'KeyV');
  return ((ctrlKey || metaKey) && isV) || (shiftKey && !ctrlKey && key === 'Insert');
}
