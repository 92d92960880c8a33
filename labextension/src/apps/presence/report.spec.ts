import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { EVERY_MS, seldom } from './report';

const URL = 'http://host/user/alice/jupyter-einfra/apps/used';

let stored: Map<string, string>;
let sent: string[];
let goes: boolean;

/** A page of an instance; calling it is one use. */
function page(id = 'vscode', url = URL): () => void {
  return seldom(url, id, () => {
    sent.push(id);
    return Promise.resolve(goes);
  });
}

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-20T12:00:00Z') });
  stored = new Map();
  sent = [];
  goes = true;
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key)
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('reports the first use at once, and others no more than once a minute', () => {
  const use = page();
  for (let i = 0; i < 1000; i++) {
    use();
  }
  expect(sent).toHaveLength(1);
  vi.advanceTimersByTime(EVERY_MS - 1);
  use();
  expect(sent).toHaveLength(1);
  vi.advanceTimersByTime(1);
  use();
  expect(sent).toHaveLength(2);
});

it('shares the minute with other pages of the same instance, and of no other', () => {
  page()();
  page()();
  expect(sent).toEqual(['vscode']);
  page('tensorboard/a')();
  page('vscode', URL.replace('alice', 'bob'))();
  expect(sent).toEqual(['vscode', 'tensorboard/a', 'vscode']);
});

it('lets another page try where one could not report', async () => {
  goes = false;
  const blocked = page();
  blocked();
  await vi.advanceTimersByTimeAsync(0);
  blocked();
  expect(sent).toHaveLength(1);
  goes = true;
  page()();
  expect(sent).toHaveLength(2);
});

it('is not silenced by a clock that was wrong', () => {
  const use = page();
  use();
  vi.setSystemTime(new Date('2026-11-19T12:00:00Z'));
  use();
  expect(sent).toHaveLength(2);
  page()();
  expect(sent).toHaveLength(2);
});

it('does without a store, or with one that holds nonsense', async () => {
  stored.set(`jupyter-einfra:used:${URL}:vscode`, 'nonsense');
  page()();
  vi.stubGlobal('localStorage', undefined);
  goes = false;
  const use = page();
  use();
  use();
  await vi.advanceTimersByTimeAsync(0);
  expect(sent).toHaveLength(2);
});
