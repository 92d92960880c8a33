import { Format } from '../../api/format';
import { followTheme, languages } from '../launch/around';
import { linksOf } from '../launch/elements';
import { PageWords, type Catalogue } from '../launch/words';
import { Bar } from './bar';
import { Clipboard, isTooLong } from './clipboard';
import { ask, Connection } from './connection';
import { Keyboard } from './keyboard';
import { keysymOf, type SendKey } from './keys';
import { Link } from './link';
import { rememberedQuality, rememberQuality } from './quality';
import { View } from './view';

/** What the server wrote into the page. */
interface IPageData {
  readonly title: string;
  readonly socket: string;
  readonly lab: string;
  readonly hub: string | null;
  readonly catalogues: Readonly<Record<string, Catalogue>>;
}

/** The page was asleep if its clock stood still for longer. */
const ASLEEP_MS = 30_000;
const TICK_MS = 5_000;

const data = JSON.parse(
  document.getElementById('einfra-desktop-data')?.textContent ?? '{}'
) as IPageData;
const address = new URL(data.socket, document.baseURI);
const trans = new PageWords(data.catalogues, languages());
const format = new Format(trans, trans.getLocale());
document.documentElement.lang = trans.getLocale();
followTheme();

let connection: Connection | null = null;
let quality = rememberedQuality();

const send: SendKey = ({ code, keysym }, isDown) => {
  connection?.rfb.sendKey(keysym, code, isDown);
};

const clipboard = new Clipboard({
  trans,
  // Its type says that it is always there; on a page that is not secure it is not.
  browser: navigator.clipboard,
  isGranted: async () => {
    try {
      const name = 'clipboard-read' as PermissionName;
      return (await navigator.permissions.query({ name })).state === 'granted';
    } catch {
      return false; // not every browser knows of it
    }
  },
  format: bytes => format.size(bytes),
  send: text => {
    connection?.rfb.clipboardPasteFrom(text);
  },
  onText: text => {
    bar.showText(text);
  },
  tell: message => {
    bar.say(message);
  }
});

const view = new View({
  trans,
  onRetry: () => {
    link.hurry();
    keyboard.focus();
  },
  onReload: () => {
    window.location.reload();
  }
});

const keyboard = new Keyboard({
  label: trans.__('Keyboard of the desktop'),
  screen: () => view.canvas,
  canPaste: () => link.state === 'connected',
  onPaste: text => clipboard.give(text),
  onText: text => {
    for (const character of text) {
      const keysym = keysymOf(character);
      if (keysym !== undefined) {
        connection?.rfb.sendKey(keysym, null);
      }
    }
  },
  onLeave: () => {
    bar.focus();
  }
});

const bar = new Bar({
  trans,
  links: linksOf(data, trans),
  quality,
  send,
  onPasted: text => {
    clipboard.give(text);
  },
  mayPaste: text => !isTooLong(text) || clipboard.give(text),
  onRead: (navigator.clipboard as globalThis.Clipboard | undefined)
    ? () => {
        navigator.clipboard.readText().then(
          text => clipboard.give(text),
          () => {
            bar.say(trans.__('The browser does not allow it. Paste into the field above.'));
          }
        );
      }
    : null,
  onQuality: chosen => {
    quality = chosen;
    rememberQuality(chosen);
    connection?.setQuality(chosen);
  },
  onFullScreen: () => {
    toggleFullScreen().catch(() => {
      bar.say(trans.__('The browser does not allow it.'));
    });
  },
  onLeave: () => {
    keyboard.focus();
  }
});

const link = new Link({
  connect: events => {
    const url = new URL(address);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    connection = new Connection(view.screen, url.href, {
      quality,
      events,
      onText: text => {
        clipboard.take(text);
      },
      onEnd: canvas => {
        if (canvas) {
          view.keep(canvas);
        }
      }
    });
    return connection;
  },
  ask: withinMs => ask(address.href, withinMs),
  isHidden: () => document.hidden,
  onState: state => {
    document.body.dataset['state'] = state;
    view.show(state);
    bar.letGo();
    if (state === 'connected') {
      clipboard.forget();
      void clipboard.look();
    }
    if (state === 'over') {
      // There the server shows how it ended, and how it is started again.
      window.location.reload();
    }
  }
});

async function toggleFullScreen(): Promise<void> {
  if (document.fullscreenElement) {
    await document.exitFullscreen();
    return;
  }
  await document.documentElement.requestFullscreen();
  keyboard.focus();
  const { keyboard: keys } = navigator as { keyboard?: { lock: () => Promise<void> } };
  // Then the desktop gets Alt+Tab and Esc as well; a long Esc leads back. Not in every frame.
  keys?.lock().catch(() => undefined);
}

/** The page is looked at again: see that it shows what is there. */
function wake(): void {
  if (!document.hidden) {
    link.hurry();
    void clipboard.look();
  }
}

view.node.prepend(keyboard.node);
document.body.append(bar.node, view.node);
view.show('connecting');
view.screen.addEventListener('pointerdown', () => {
  keyboard.focus();
});
// Before noVNC's own, so that it does not take a hidden tab for a small window.
new ResizeObserver(() => {
  connection?.fit(view.screen);
}).observe(view.screen);
for (const event of ['keyup', 'pointerup']) {
  document.addEventListener(event, () => void clipboard.settle());
}
document.addEventListener('visibilitychange', wake);
window.addEventListener('online', wake);
window.addEventListener('focus', () => {
  void clipboard.look();
  if (document.activeElement === document.body) {
    keyboard.focus();
  }
});
let ticked = Date.now();
setInterval(() => {
  const now = Date.now();
  if (now - ticked > ASLEEP_MS) {
    wake();
  }
  ticked = now;
}, TICK_MS);
keyboard.focus();
link.start();
