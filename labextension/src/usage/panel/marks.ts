import type { TranslationBundle } from '@jupyterlab/translation';

import { describe } from '../../api/messages';
import type { components } from '../../api/schema';
import { secondsOf } from './columns';

type Schemas = components['schemas'];

/** Something that happened, to be marked on every chart. */
export interface IMark {
  /** Seconds since 1970. */
  readonly time: number;

  readonly text: string;

  /** loss: something was lost; start: the server began; moment: asked for; event: all else. */
  readonly kind: 'loss' | 'start' | 'moment' | 'event';
}

/** Events, and where the server's runs began and ended; oldest first. */
export function marksOf(
  history: Pick<Schemas['UsageHistory'], 'events' | 'runs'>,
  trans: TranslationBundle
): IMark[] {
  const marks: IMark[] = history.events.map(event => ({
    time: secondsOf(event.time),
    text: describe(event, trans),
    kind: event.code.startsWith('kernel_') ? 'loss' : 'event'
  }));
  for (const run of history.runs) {
    marks.push({
      time: secondsOf(run.started),
      text: trans.__('The server started.'),
      kind: 'start'
    });
    if (run.ended !== null && run.ending !== 'running') {
      marks.push({
        time: secondsOf(run.ended),
        text: endingOf(run, trans),
        kind: run.ending === 'stopped' ? 'event' : 'loss'
      });
    }
  }
  return marks.sort((a, b) => a.time - b.time);
}

/** How a run ended, in one sentence. */
export function endingOf(run: Schemas['Run'], trans: TranslationBundle): string {
  if (run.reason) {
    return describe(run.reason, trans);
  }
  switch (run.ending) {
    case 'out-of-memory':
      return trans.__('The server was killed because its memory was full.');
    case 'killed':
      return trans.__('The server was killed.');
    case 'stopped':
      return trans.__('The server was stopped.');
    case 'running':
      return trans.__('The server is running.');
  }
}
