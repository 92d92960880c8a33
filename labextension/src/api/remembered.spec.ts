import { describe, expect, it } from 'vitest';

import { MOST_REMEMBERED, Remembered, type Store } from './remembered';

const KEY = 'seen';

class FakeStore {
  readonly items = new Map<string, string>();

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }
}

const FORBIDDEN: Store = {
  getItem: () => {
    throw new DOMException('no', 'SecurityError');
  },
  setItem: () => {
    throw new DOMException('no', 'QuotaExceededError');
  }
};

it('is shared by tabs and outlives a page', () => {
  const store = new FakeStore();
  const one = new Remembered(store, KEY);
  const other = new Remembered(store, KEY);
  one.add([['a', 2]]);
  other.add([['b', 1]]);
  expect([...one.read()]).toEqual([
    ['a', 2],
    ['b', 1]
  ]);
  expect([...new Remembered(store, KEY).read().keys()]).toEqual(['a', 'b']);
});

it('keeps the latest number', () => {
  const remembered = new Remembered(new FakeStore(), KEY);
  remembered.add([['a', 2]]);
  remembered.add([['a', 3]]);
  expect(remembered.read().get('a')).toBe(3);
});

it('forgets the oldest, not what was renewed', () => {
  const store = new FakeStore();
  const remembered = new Remembered(store, KEY);
  remembered.add([
    ['first', 1],
    ['second', 1]
  ]);
  remembered.add([['first', 2]]);
  remembered.add(Array.from({ length: MOST_REMEMBERED - 1 }, (_, i) => [`${i}`, 1]));
  expect(remembered.read().size).toBe(MOST_REMEMBERED);
  expect(remembered.read().has('first')).toBe(true);
  expect(remembered.read().has('second')).toBe(false);
});

describe('a store that is no use', () => {
  it.each<[string, Store]>([
    ['missing', null],
    ['forbidden', FORBIDDEN]
  ])('%s: remembers for as long as the page lives', (_, store) => {
    const remembered = new Remembered(store, KEY);
    remembered.add([['a', 1]]);
    expect([...remembered.read()]).toEqual([['a', 1]]);
  });

  it.each(['', '{', 'null', '7', '{"a":1}', '[["a"],["b","c"],null,[1,2]]'])(
    'holding %s: begins anew',
    content => {
      const store = new FakeStore();
      store.setItem(KEY, content);
      const remembered = new Remembered(store, KEY);
      expect(remembered.read().size).toBe(0);
      remembered.add([['a', 1]]);
      expect(new Remembered(store, KEY).read().get('a')).toBe(1);
    }
  );
});
