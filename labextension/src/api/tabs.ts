import type { Store } from './remembered';

/** What all tabs of this browser share; null where that is not allowed. */
export function localStore(): Store {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
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
