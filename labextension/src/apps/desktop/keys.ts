/** A key as the X server knows it, and where it is on a keyboard. */
export interface IKey {
  readonly keysym: number;
  readonly code: string;
}

// Source: X11/keysymdef.h
export const ALT: IKey = { keysym: 0xffe9, code: 'AltLeft' };
export const CTRL: IKey = { keysym: 0xffe3, code: 'ControlLeft' };
export const SUPER: IKey = { keysym: 0xffeb, code: 'MetaLeft' };
const DELETE: IKey = { keysym: 0xffff, code: 'Delete' };
const ESCAPE: IKey = { keysym: 0xff1b, code: 'Escape' };
const F4: IKey = { keysym: 0xffc1, code: 'F4' };
const RETURN = 0xff0d;
const TAB: IKey = { keysym: 0xff09, code: 'Tab' };

/** Keys that a browser, or the system around it, keeps for itself. */
export const COMBINATIONS: Readonly<Record<string, readonly IKey[]>> = {
  'Ctrl+Alt+Del': [CTRL, ALT, DELETE],
  'Alt+Tab': [ALT, TAB],
  'Alt+F4': [ALT, F4],
  Super: [SUPER],
  Esc: [ESCAPE]
};

/** Takes keys, one change at a time. */
export type SendKey = (key: IKey, isDown: boolean) => void;

/** Press all of them, the first one first, and release them in the opposite order. */
export function press(keys: readonly IKey[], send: SendKey): void {
  for (const key of keys) {
    send(key, true);
  }
  for (const key of [...keys].reverse()) {
    send(key, false);
  }
}

/** What the X server calls a character; undefined for one that is no key. */
export function keysymOf(character: string): number | undefined {
  const point = character.codePointAt(0) ?? 0;
  if (character === '\n' || character === '\r') {
    return RETURN;
  }
  if (character === '\t') {
    return TAB.keysym;
  }
  const isLatin1 = (point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point <= 0xff);
  if (isLatin1) {
    return point;
  }
  return point >= 0x100 ? 0x0100_0000 + point : undefined;
}
