import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { idleIcon } from './icon';
import { PageView, type IPageProps } from './page-view';

export const PAGE_ID = 'einfra-idle-page';

interface IOptions extends IPageProps {
  /** Called when somebody begins to look at it. */
  readonly onShow: () => void;
}

/** The page that tells whether this server will be kept, fresh while it is seen. */
class IdlePage extends ReactWidget {
  constructor(private readonly _options: IOptions) {
    super();
    this.addClass('jp-EinfraIdle-page');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _options.trans.__('Will my server be kept?'));
    _options.model.changed.connect(this.update, this);
  }

  override dispose(): void {
    this._options.model.dispose();
    super.dispose();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._begin();
    }
  }

  protected override onAfterShow(): void {
    this._begin();
  }

  protected override onBeforeHide(): void {
    this._options.model.hide();
  }

  protected override onBeforeDetach(msg: Message): void {
    this._options.model.hide();
    super.onBeforeDetach(msg);
  }

  protected override onActivateRequest(): void {
    // The palette gives the focus back once a command is done: take it after that.
    requestAnimationFrame(() => {
      this.node.focus();
    });
  }

  protected override render(): React.ReactElement {
    const { acts, model, now, trans, words } = this._options;
    return <PageView {...{ acts, model, now, trans, words }} />;
  }

  private _begin(): void {
    this._options.model.show();
    this._options.onShow();
  }
}

/** Make the page's tab. */
export function makePage(options: IOptions): MainAreaWidget {
  const content = new IdlePage(options);
  content.id = `${PAGE_ID}-content`;
  const tab = new MainAreaWidget({ content });
  tab.id = PAGE_ID;
  tab.toolbar.hide(); // empty, it would be a grey line
  tab.title.icon = idleIcon;
  tab.title.label = options.trans.__('Will my server be kept?');
  tab.title.closable = true;
  return tab;
}
