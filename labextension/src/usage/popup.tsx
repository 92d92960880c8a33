import { showPopup, type Popup } from '@jupyterlab/statusbar';
import type { TranslationBundle } from '@jupyterlab/translation';
import { VDomRenderer } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFigure } from './figures';
import type { UsageModel } from './model';
import type { UsageStatus } from './widget';

/** The exact figures, as a table that follows the model while it is open. */
class UsageTable extends VDomRenderer<UsageModel> {
  constructor(
    model: UsageModel,
    private readonly _trans: TranslationBundle,
    private readonly _openPanel: () => void
  ) {
    super(model);
    this.addClass('jp-EinfraUsage-popup');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-label', this._trans.__('What this server uses'));
  }

  protected override render(): React.ReactElement | null {
    const { view } = this.model;
    if (view.kind === 'hidden') {
      return null;
    }
    if (view.kind === 'waiting') {
      return <p>{view.title}</p>;
    }
    const trans = this._trans;
    return (
      <>
        {view.kind === 'stale' && <p className="jp-EinfraUsage-stale">{view.text}</p>}
        <table>
          <caption>{trans.__('What this server uses')}</caption>
          <thead>
            <tr>
              <th scope="col">{trans.__('Resource')}</th>
              <th scope="col">{trans.__('In use')}</th>
              <th scope="col">{trans.__('Limit')}</th>
              <th scope="col">{trans.__('Share')}</th>
            </tr>
          </thead>
          {this.model.allFigures.map(figure => (
            <Rows key={figure.key} figure={figure} />
          ))}
        </table>
        <p>
          <button type="button" className="jp-EinfraUsage-link" onClick={this._openPanel}>
            {trans.__('Show Usage Panel')}
          </button>
        </p>
      </>
    );
  }
}

function Rows({ figure }: { readonly figure: IFigure }): React.ReactElement {
  const near = figure.level !== 'normal' && [figure.summary];
  return (
    <tbody className={`jp-mod-${figure.level}`}>
      {figure.rows.map(row => (
        <tr key={row.name}>
          <th scope="row">{row.name}</th>
          <td>{row.used}</td>
          <td>{row.limit}</td>
          <td>{row.share}</td>
        </tr>
      ))}
      <tr className="jp-EinfraUsage-notes">
        <td colSpan={4}>
          {[...(near || []), ...figure.notes].map(note => (
            <p key={note}>{note}</p>
          ))}
        </td>
      </tr>
    </tbody>
  );
}

/** Opens the exact figures above the item, and gives the focus back. */
export class UsagePopup {
  constructor(
    private readonly _model: UsageModel,
    private readonly _trans: TranslationBundle,
    private readonly _openPanel: () => void
  ) {}

  /** Open it, or close it where it is open. */
  toggle(anchor: UsageStatus): void {
    if (this._popup) {
      this._popup.dispose();
      return;
    }
    const body = new UsageTable(this._model, this._trans, () => {
      popup.dispose();
      this._openPanel();
    });
    // Lab closes it on Escape and on a click elsewhere.
    const popup = showPopup({ body, anchor, align: 'left', hasDynamicSize: true });
    this._popup = popup;
    anchor.expanded = true;
    this._model.stateChanged.connect(this._closeIfHidden, this);
    let before: Element | null = null;
    // The palette gives the focus back once a command is done: take it after that.
    requestAnimationFrame(() => {
      if (!popup.isDisposed) {
        before = document.activeElement;
        body.node.focus();
      }
    });
    popup.disposed.connect(() => {
      this._popup = null;
      anchor.expanded = false;
      this._model.stateChanged.disconnect(this._closeIfHidden, this);
      giveBack(before, anchor, popup);
    });
  }

  private _closeIfHidden(): void {
    if (this._model.view.kind === 'hidden') {
      this._popup?.dispose();
    }
  }

  private _popup: Popup | null = null;
}

/** Put the focus where it was, unless the user has gone on to something else. */
function giveBack(before: Element | null, anchor: UsageStatus, popup: Popup): void {
  const { activeElement, body } = document;
  if (activeElement !== body && !popup.node.contains(activeElement)) {
    return;
  }
  if (before instanceof HTMLElement && before !== body && before.isConnected) {
    before.focus();
  } else {
    anchor.focus();
  }
}
