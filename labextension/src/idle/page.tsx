import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import type { Requester } from '../api/request';
import { idleIcon } from './icon';
import { PAGE_ID } from './ids';
import type { IdleModel } from './model';
import { PageView, type IPageProps } from './page-view';
import { ReportModel } from './report';

import '../../style/idle-page.css';

interface IPageOptions extends IPageProps {
  /** Called when somebody begins to look at it. */
  readonly onShow: () => void;
}

/** The page that tells whether this server will be kept, fresh while it is seen. */
class IdlePage extends ReactWidget {
  constructor(private readonly _options: IPageOptions) {
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

interface IOptions extends Omit<IPageOptions, 'model'> {
  readonly model: IdleModel;
  readonly request: Requester;
}

/** Make the page's tab. */
export function makePage({ model, request, ...options }: IOptions): MainAreaWidget {
  const content = new IdlePage({ ...options, model: new ReportModel(model, request) });
  content.id = `${PAGE_ID}-content`;
  const tab = new MainAreaWidget({ content });
  tab.id = PAGE_ID;
  tab.toolbar.hide(); // empty, it would be a grey line
  tab.title.icon = idleIcon;
  tab.title.label = options.trans.__('Will my server be kept?');
  tab.title.closable = true;
  return tab;
}
