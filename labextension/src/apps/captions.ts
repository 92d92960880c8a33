import type { TranslationBundle } from '@jupyterlab/translation';

import type { Format } from '../api/format';
import { describe } from '../api/messages';
import { isAlive, type App } from './model';

/** What an application does now, in a sentence. */
export function captionOf(
  app: App,
  lostSince: Date | null,
  trans: TranslationBundle,
  format: Format
): string {
  if (lostSince) {
    const time = format.time(lostSince, new Date());
    return trans.__('What %1 does is not known since %2', app.title, time);
  }
  const failed = app.instances.find(({ state }) => state === 'failed');
  if (failed?.reason) {
    return describe(failed.reason, trans);
  }
  const running = app.instances.filter(({ state }) => state === 'running');
  const [first] = running;
  if (running.length > 1) {
    return trans._n('%2 runs once', '%2 runs %1 times', running.length, app.title);
  }
  if (first) {
    const time = format.time(new Date(first.since), new Date());
    return trans.__('%1 runs since %2', app.title, time);
  }
  switch (app.instances.find(isAlive)?.state) {
    case 'starting':
      return trans.__('%1 is starting', app.title);
    case 'stopping':
      return trans.__('%1 is stopping', app.title);
    default:
      return trans.__('Start %1', app.title);
  }
}
