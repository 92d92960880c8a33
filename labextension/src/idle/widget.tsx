import type { TranslationBundle } from '@jupyterlab/translation';
import { VDomRenderer } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IdleModel } from './model';

/** The item of the status bar: until when this server is kept. */
export class IdleItem extends VDomRenderer<IdleModel> {
  /**
   * @param model - what to show; the caller disposes of it
   * @param onClick - opens the page that tells more
   */
  constructor(
    model: IdleModel,
    private readonly _trans: TranslationBundle,
    private readonly _onClick: () => void
  ) {
    super(model);
    this.addClass('jp-EinfraIdle-item');
  }

  protected override render(): React.ReactElement {
    const { announcement, view } = this.model;
    return (
      <>
        {view.kind === 'shown' && (
          <button
            type="button"
            className={`jp-EinfraIdle-button jp-StatusBar-TextItem ${view.stale ? 'jp-mod-dim' : ''}`}
            data-level={view.level}
            title={view.title}
            aria-label={
              view.stale
                ? this._trans.__('This server: %1 (may be out of date)', view.text)
                : this._trans.__('This server: %1', view.text)
            }
            onClick={this._onClick}
          >
            <span>{view.text}</span>
          </button>
        )}
        <span className="jp-EinfraIdle-announcement" role="status">
          {announcement}
        </span>
      </>
    );
  }
}
