import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Format } from '../../api/format';
import type { components } from '../../api/schema';
import type { Acts } from './acts';
import { keepFocus } from './focus';
import type { PanelModel } from './model';
import { calm } from './names';
import { notesOf, type INote } from './notes';

/** As many notes as leave the charts in sight. */
const MOST = 3;

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
  const notes = notesOf(model.notices, details, trans, format).map(note => (
    <NoteView
      key={note.key}
      programs={details?.programs ?? []}
      {...{ note, acts, trans }}
    />
  ));
  const more = notes.length - MOST;
  return (
    <div className="jp-EinfraUsagePanel-notes">
      <div role="status">
        {trouble.length > 0 && <Note>{trouble.join(' ')}</Note>}
        {exportTrouble !== null && <Note>{exportTrouble}</Note>}
      </div>
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
      {notes.slice(0, MOST)}
      {more > 0 && (
        <details>
          <summary>{trans._n('%1 more', '%1 more', more)}</summary>
          {notes.slice(MOST)}
        </details>
      )}
    </div>
  );
}

function Note({
  kind = 'warning',
  children
}: {
  readonly kind?: INote['severity'];
  readonly children: React.ReactNode;
}): React.ReactElement {
  return <div className={`jp-EinfraUsagePanel-note jp-mod-${kind}`}>{children}</div>;
}

function NoteView({
  note: { severity, text, kernelId, path },
  programs,
  acts,
  trans
}: {
  readonly note: INote;
  readonly programs: readonly components['schemas']['Program'][];
  readonly acts: Acts;
  readonly trans: TranslationBundle;
}): React.ReactElement {
  const kernel = programs.find(({ id }) => id === kernelId);
  const name = calm(kernel?.name ?? path?.split('/').pop() ?? '');
  return (
    <Note kind={severity}>
      {text}
      {kernelId !== null && (
        <div>
          <button
            type="button"
            onClick={({ currentTarget }) =>
              void keepFocus(currentTarget, () => acts.interrupt(kernelId))
            }
          >
            {name ? trans.__('Interrupt %1', name) : trans.__('Interrupt')}
          </button>
        </div>
      )}
    </Note>
  );
}
