import { seldom } from './report';
import { watch } from './watch';

/** Tells the server that somebody uses the page of an application that it was put into. */
const script = document.currentScript as HTMLScriptElement | null;
const id = script?.dataset['einfraApp'];

// Whether the page is a frame of one that has the script and sees what is done here.
const isSeen = window.frameElement?.ownerDocument.querySelector('script[data-einfra-app]');

// A page without an origin could not say who it is.
if (script && id && window.origin !== 'null' && !isSeen) {
  const url = new URL('used', script.src).href;
  const report = async (): Promise<boolean> => {
    const token = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1] ?? '';
    try {
      const { ok } = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-XSRFToken': token },
        body: JSON.stringify({ id }),
        keepalive: true // even if the page is left by what was done
      });
      return ok;
    } catch {
      return false; // the server is away, or the page may not ask it
    }
  };
  watch(() => window, null, seldom(url, id, report));
}
