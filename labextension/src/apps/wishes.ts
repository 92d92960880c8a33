import { exclusively, localStore } from '../api/tabs';
import { Remembered } from '../api/remembered';
import type { AppsModel } from './model';
import type { Opener } from './opener';

/** Show what somebody asked for in a terminal, in one page of this browser. */
export function grantWishes(model: AppsModel, opener: Opener, baseUrl: string): void {
  const key = `jupyter-einfra:apps:${baseUrl}`;
  const granted = new Remembered(localStore(), key);
  const alone = exclusively(key);
  model.changed.connect(() => {
    if (model.wishes.length === 0 || document.visibilityState !== 'visible') {
      return;
    }
    alone(() => {
      for (const { number, id, url } of model.wishes) {
        const instance = model.instance(id);
        if (!granted.read().has(number) && instance) {
          granted.add([[number, 1]]);
          // Nobody clicked here, and a browser opens no window for that.
          opener.show(instance, url, 'lab');
        }
      }
    });
  });
}
