import { describe, expect, it } from 'vitest';

import { isPaste } from './keyboard';
import { ALT, COMBINATIONS, keysymOf, press } from './keys';

describe('press', () => {
  it('presses in order and releases the other way round', () => {
    const sent: string[] = [];
    press(COMBINATIONS['Ctrl+Alt+Del'] ?? [], ({ code }, isDown) => {
      sent.push(`${isDown ? '+' : '-'}${code}`);
    });
    expect(sent.join(' ')).toBe(
      '+ControlLeft +AltLeft +Delete -Delete -AltLeft -ControlLeft'
    );
  });

  it('knows keys as X does', () => {
    expect(ALT.keysym).toBe(0xffe9);
  });
});

describe('keysymOf', () => {
  it.each([
    ['a', 0x61],
    ['~', 0x7e],
    ['é', 0xe9],
    ['ě', 0x0100_011b],
    ['€', 0x0100_20ac],
    ['😀', 0x0101_f600],
    ['\n', 0xff0d],
    ['\t', 0xff09],
    ['\u0007', undefined],
    ['\u0085', undefined]
  ])('names %j', (character, keysym) => {
    expect(keysymOf(character)).toBe(keysym);
  });
});

describe('isPaste', () => {
  const event = (keys: Partial<KeyboardEvent>): KeyboardEvent =>
    ({
      altKey: false,
      code: '',
      ctrlKey: false,
      key: '',
      metaKey: false,
      shiftKey: false,
      ...keys
    }) as KeyboardEvent;

  it.each([
    [{ ctrlKey: true, key: 'v' }, true],
    [{ ctrlKey: true, shiftKey: true, key: 'V' }, true],
    [{ metaKey: true, key: 'v' }, true],
    [{ shiftKey: true, key: 'Insert' }, true],
    [{ key: 'v' }, false],
    [{ ctrlKey: true, altKey: true, key: 'v' }, false],
    [{ ctrlKey: true, key: 'c', code: 'KeyV' }, false],
    [{ ctrlKey: true, shiftKey: true, key: 'Insert' }, false]
  ])('is told of %j', (keys, expected) => {
    expect(isPaste(event(keys))).toBe(expected);
  });
});
