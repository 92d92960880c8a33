import type { CommandRegistry } from '@lumino/commands';

import { Remembered } from '../api/remembered';
import { exclusively, localStore } from '../api/tabs';
import type { AppsModel } from './model';
import type { Opener } from './opener';

/** Lab's own: shows a folder or opens a file. */
const OPEN_PATH = 'filebrowser:open-path';

/** Show what somebody asked for elsewhere, in one page of this browser. */
export function grantWishes(
  model: AppsModel,
  opener: Opener,
  commands: CommandRegistry,
  baseUrl: string
): void {
  const key = `jupyter-einfra:apps:${baseUrl}`;
  const granted = new Remembered(localStore(), key);
  const alone = exclusively(key);
  model.changed.connect(() => {
    if (model.wishes.length === 0 || document.visibilityState !== 'visible') {
      return;
    }
    alone(() => {
      for (const { number, id, url, path } of model.wishes) {
        if (granted.read().has(number)) {
          continue;
        }
        const instance = typeof id === 'string' ? model.instance(id) : null;
        if (instance && typeof url === 'string') {
          granted.add([[number, 1]]);
          // Nobody clicked here, and a browser opens no window for that.
          opener.show(instance, url, 'lab');
        } else if (typeof path === 'string' && commands.hasCommand(OPEN_PATH)) {
          granted.add([[number, 1]]);
          void commands.execute(OPEN_PATH, { path: path || '/' });
        }
      }
    });
  });
}
