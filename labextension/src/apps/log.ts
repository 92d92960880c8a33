import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { listIcon } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';

import type { Format } from '../api/format';
import type { Requester } from '../api/request';
import { LaunchController } from './launch/controller';
import type { Instance } from './model';

interface IOptions {
  readonly instance: Instance;
  readonly icon: string;

  /** Where it keeps the session that can be reset; null if it keeps none. */
  readonly keptIn: string | null;
  readonly trans: TranslationBundle;
  readonly format: Format;
  readonly request: Requester;
  readonly open: () => void;
}

/** What one instance does and prints, for as long as the tab is seen. */
class LogView extends Widget {
  constructor(private readonly _options: IOptions) {
    super();
    this.addClass('jp-EinfraApps-log');
  }

  protected override onBeforeShow(): void {
    this._begin();
  }

  protected override onAfterAttach(): void {
    if (this.isVisible) {
      this._begin();
    }
  }

  /** Let the keyboard go to it. */
  protected override onActivateRequest(): void {
    this._controller?.view.focus();
  }

  protected override onAfterHide(): void {
    this._end();
  }

  protected override onBeforeDetach(): void {
    this._end();
  }

  private _begin(): void {
    if (this._controller) {
      return;
    }
    const { format, icon, instance, keptIn, open, request, trans } = this._options;
    this._controller = new LaunchController({
      instance,
      elapsed: null,
      error: null,
      fromElsewhere: false,
      purpose: 'watch',
      keptIn,
      icon,
      links: [],
      trans,
      format,
      request,
      onReady: open,
      onHeading: () => undefined
    });
    this.node.replaceChildren(this._controller.view.node);
  }

  private _end(): void {
    this._controller?.dispose();
    this._controller = null;
  }

  private _controller: LaunchController | null = null;
}

/** Make a tab with the log of one instance. */
export function makeLogTab(options: IOptions): MainAreaWidget {
  const { instance, trans } = options;
  const tab = new MainAreaWidget({ content: new LogView(options) });
  tab.id = `einfra-apps-log-${instance.id}`;
  tab.toolbar.hide(); // empty, it would be a grey line
  tab.title.icon = listIcon;
  tab.title.label = trans.__('Log of %1', instance.title);
  tab.title.caption = tab.title.label;
  tab.title.closable = true;
  return tab;
}
