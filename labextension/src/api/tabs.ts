import type { Store } from './remembered';

/** What all tabs of this browser share; null where that is not allowed. */
export function localStore(): Store {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/**
 * Begin something in one tab of this browser, and in the next one when that ends.
 *
 * @param begin - begins it; returns what ends it
 * @returns ends it, or the waiting for it
 */
export function inOneTab(name: string, begin: () => () => void): () => void {
  // A page without a safe connection has no locks.
  if (!('locks' in navigator)) {
    return begin();
  }
  const waiting = new AbortController();
  let release: (() => void) | null = null;
  navigator.locks
    .request(name, { signal: waiting.signal }, () => {
      const end = begin();
      return new Promise<void>(resolve => {
        release = () => {
          end();
          resolve();
        };
      });
    })
    .catch(() => undefined); // it is not wanted any more
  return () => {
    if (release) {
      release();
    } else {
      waiting.abort();
    }
  };
}

/** A way to do things while no other tab does them, in the order in which they are asked. */
export function exclusively(name: string): (work: () => void) => void {
  return work => {
    // A page without a safe connection has no locks.
    if (!('locks' in navigator)) {
      work();
      return;
    }
    void navigator.locks.request(name, work);
  };
}
