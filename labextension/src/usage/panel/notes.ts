import type { TranslationBundle } from '@jupyterlab/translation';

import type { Format } from '../../api/format';
import { describe } from '../../api/messages';
import type { components } from '../../api/schema';
import { endingOf } from './marks';

type Schemas = components['schemas'];
type Severity = Schemas['Notice']['severity'];

/** One thing that a person should know before looking at figures. */
export interface INote {
  readonly key: string;
  readonly severity: Severity;
  readonly text: string;

  /** The kernel that can be interrupted to help, if there is one. */
  readonly kernelId: string | null;

  readonly path: string | null;
}

const WORST_FIRST: readonly Severity[] = ['error', 'warning', 'info'];

/** All that there is to know, the worst first; none of it twice. */
export function notesOf(
  notices: readonly Schemas['Notice'][],
  details: Pick<Schemas['UsageDetails'], 'previous_run' | 'history_reason'> | null,
  trans: TranslationBundle,
  format: Format
): INote[] {
  const notes = notices.map(notice => ({
    key: notice.id,
    severity: notice.severity,
    text: describe(notice, trans),
    kernelId: notice.code.startsWith('memory_') ? notice.kernel_id : null,
    path: notice.path
  }));
  const note = (key: string, severity: Severity, text: string): void => {
    notes.push({ key, severity, text, kernelId: null, path: null });
  };
  const run = details?.previous_run;
  const told = notices.some(({ code }) => code.startsWith('previous_run_'));
  if (run && !told && run.ending !== 'stopped' && run.ending !== 'running') {
    const severity = run.ending === 'out-of-memory' ? 'warning' : 'info';
    note('previous run', severity, lastRun(run, trans, format));
  }
  if (details?.history_reason) {
    const why = describe(details.history_reason, trans);
    note('history', 'info', trans.__('History is kept in memory only: %1', why));
  }
  const rank = (severity: Severity): number => WORST_FIRST.indexOf(severity);
  return notes.sort((a, b) => rank(a.severity) - rank(b.severity));
}

/** How the server's last run ended; a reason names the time itself. */
function lastRun(run: Schemas['Run'], trans: TranslationBundle, format: Format): string {
  const ending = endingOf(run, trans);
  return run.reason || run.ended === null
    ? trans.__('Last run: %1', ending)
    : trans.__(
        'Last run, until %1: %2',
        format.time(new Date(run.ended), new Date()),
        ending
      );
}
