import type { TranslationBundle } from '@jupyterlab/translation';

/** Longer texts are what files are for. Bytes of UTF-8. */
export const MOST_BYTES = 2 ** 20;

/** Keeps the desktop's clipboard and the browser's the same, as far as the browser allows. */
export class Clipboard {
  constructor(private readonly _options: Clipboard.IOptions) {}

  /** The desktop is another one, or has forgotten what it had. */
  forget(): void {
    this._text = '';
    this._owed = false;
  }

  /** Give a text to the desktop; return whether it has it. */
  give(text: string): boolean {
    if (text === this._text) {
      return true;
    }
    if (isTooLong(text)) {
      this._options.tell(this._tooLong(text));
      return false;
    }
    this._text = text;
    this._owed = false;
    this._options.send(text);
    this._options.onText(text);
    return true;
  }

  /** The desktop has a new text. */
  take(text: string): void {
    if (text === this._text) {
      return;
    }
    if (isTooLong(text)) {
      this._options.tell(this._tooLong(text));
      return;
    }
    this._text = text;
    this._owed = true;
    this._options.onText(text);
    void this.settle();
  }

  /** Give the browser what it would not take before: after a key or a click, it may. */
  async settle(): Promise<void> {
    const { browser } = this._options;
    if (!this._owed || !browser) {
      return;
    }
    try {
      const text = this._text;
      await browser.writeText(text);
      this._owed &&= text !== this._text;
    } catch {
      // Not allowed now, or not at all: it is to be had from the panel.
    }
  }

  /** Take what was copied elsewhere, if the browser tells without asking. */
  async look(): Promise<void> {
    const { browser, isGranted } = this._options;
    if (!browser || this._owed || !(await isGranted())) {
      return;
    }
    try {
      const text = await browser.readText();
      if (text !== '' && !isTooLong(text)) {
        this.give(text);
      }
    } catch {
      // Another window is in front by now.
    }
  }

  private _tooLong(text: string): string {
    const { format, trans } = this._options;
    return trans.__(
      'This text is too long for the clipboard of the desktop: %1 of at most %2. Put it into a file.',
      format(new Blob([text]).size),
      format(MOST_BYTES)
    );
  }

  private _owed = false;
  private _text = '';
}

export namespace Clipboard {
  export interface IOptions {
    readonly trans: TranslationBundle;

    /** The browser's; undefined where the page is not a secure one. */
    readonly browser: Pick<globalThis.Clipboard, 'readText' | 'writeText'> | undefined;

    /** Whether the browser tells what was copied without asking the user. */
    readonly isGranted: () => Promise<boolean>;

    /** Write a size. */
    readonly format: (bytes: number) => string;

    /** Takes what goes to the desktop. */
    readonly send: (text: string) => void;

    /** Takes what both have now. */
    readonly onText: (text: string) => void;

    /** Takes what is to be said. */
    readonly tell: (message: string) => void;
  }
}

/** Whether a text would hold up the browser, the desktop or the way between them. */
export function isTooLong(text: string): boolean {
  // The first one is enough for most, and costs nothing.
  return (
    text.length > MOST_BYTES ||
    (text.length * 3 > MOST_BYTES && new Blob([text]).size > MOST_BYTES)
  );
}
