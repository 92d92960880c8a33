import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { describe } from '../../api/messages';
import type { components } from '../../api/schema';
import type { Format } from '../../api/format';
import type { Acts } from './acts';
import { endingOf } from './marks';
import type { PanelModel } from './model';

type Schemas = components['schemas'];

interface IProps {
  readonly model: PanelModel;
  readonly acts: Acts;
  readonly trans: TranslationBundle;
  readonly format: Format;

  /** Why the last export failed. */
  readonly exportTrouble: string | null;
}

/** What a person should know before looking at figures. */
export function NotesView(props: IProps): React.ReactElement {
  const { model, acts, trans, format, exportTrouble } = props;
  const { details, history, historyTrouble, trouble } = model;
  return (
    <div className="jp-EinfraUsagePanel-notes" role="status">
      {model.notices.map(notice => (
        <NoticeView key={notice.id} notice={notice} {...{ acts, details, trans }} />
      ))}
      {trouble.length > 0 && <Note>{trouble.join(' ')}</Note>}
      {historyTrouble.length > 0 && (
        <Note>
          {historyTrouble.join(' ')}
          {history.error?.status !== 403 && (
            <div>
              <button
                type="button"
                disabled={history.loading}
                onClick={() => void model.load()}
              >
                {trans.__('Try Again')}
              </button>
            </div>
          )}
        </Note>
      )}
      {exportTrouble !== null && <Note>{exportTrouble}</Note>}
      {details?.previous_run && (
        <PreviousRun run={details.previous_run} {...{ trans, format }} />
      )}
      {details?.history_reason && (
        <Note kind="info">
          {trans.__(
            'History is kept in memory only: %1',
            describe(details.history_reason, trans)
          )}
        </Note>
      )}
    </div>
  );
}

function Note({
  kind = 'warning',
  children
}: {
  readonly kind?: Schemas['Notice']['severity'];
  readonly children: React.ReactNode;
}): React.ReactElement {
  return <div className={`jp-EinfraUsagePanel-note jp-mod-${kind}`}>{children}</div>;
}

function NoticeView({
  notice,
  acts,
  details,
  trans
}: {
  readonly notice: Schemas['Notice'];
  readonly acts: Acts;
  readonly details: Schemas['UsageDetails'] | null;
  readonly trans: TranslationBundle;
}): React.ReactElement {
  const { kernel_id: id, code, path, severity } = notice;
  const kernel = details?.programs.find(program => program.id === id);
  const name = kernel?.name ?? path?.split('/').pop();
  return (
    <Note kind={severity}>
      {describe(notice, trans)}
      {id !== null && code.startsWith('memory_') && (
        <div>
          <button type="button" onClick={() => void acts.interrupt(id)}>
            {name ? trans.__('Interrupt %1', name) : trans.__('Interrupt')}
          </button>
        </div>
      )}
    </Note>
  );
}

/** How the server's last run ended, where it was not asked to. */
function PreviousRun({
  run,
  trans,
  format
}: {
  readonly run: Schemas['Run'];
  readonly trans: TranslationBundle;
  readonly format: Format;
}): React.ReactElement | null {
  if (run.ending === 'stopped' || run.ending === 'running') {
    return null;
  }
  const ended = run.ended === null ? null : format.time(new Date(run.ended), new Date());
  return (
    <Note kind={run.ending === 'out-of-memory' ? 'warning' : 'info'}>
      {ended === null
        ? trans.__('Last run: %1', endingOf(run, trans))
        : trans.__('Last run, until %1: %2', ended, endingOf(run, trans))}
    </Note>
  );
}
