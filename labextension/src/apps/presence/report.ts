/** Somebody who uses an application is spoken of once in this time. */
export const EVERY_MS = 60_000;

/**
 * Have the first use reported at once, and no more than one a minute after that.
 *
 * All pages of one application share the minute, whether in tabs of the browser, of Lab, or
 * in frames of each other.
 *
 * @param url - where it is reported; tells one server from others at the same host
 * @param id - of the instance
 * @param send - reports it; tells whether that went well, and if not, another page may try
 * @returns what to call for every use
 */
export function seldom(url: string, id: string, send: () => Promise<boolean>): () => void {
  const key = `jupyter-einfra:used:${url}:${id}`;
  let last = 0;
  const isRecent = (now: number): boolean => now >= last && now - last < EVERY_MS;
  return () => {
    const now = Date.now();
    if (isRecent(now)) {
      return; // most of the time; every key comes here
    }
    try {
      last = Number(localStorage.getItem(key));
      if (isRecent(now)) {
        return;
      }
      localStorage.setItem(key, String(now));
    } catch {
      // Not allowed, or full: then each page has a minute of its own.
    }
    last = now;
    void send().then(went => {
      try {
        if (!went) {
          localStorage.removeItem(key);
        }
      } catch {
        // As above.
      }
    });
  };
}
