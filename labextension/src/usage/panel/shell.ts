import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IThemeManager } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { PanelLayout, Widget } from '@lumino/widgets';

import type { IEinfraStream } from '../../tokens';
import type { Format } from '../../api/format';
import type { Requester } from '../../api/request';
import type { IUsageSettings } from '../settings';
import { focusFirst } from './focus';
import type { PanelView } from './panel-view';

/** What the panel needs of the page. */
export interface IPanelOptions {
  readonly app: JupyterFrontEnd;
  readonly stream: IEinfraStream;
  readonly request: Requester;
  readonly trans: TranslationBundle;
  readonly format: Format;

  /** BCP 47 tag. */
  readonly language: string;

  readonly themes: IThemeManager | null;

  /** Where figures begin to warn. */
  readonly settings: () => IUsageSettings;

  /** Opens the panel as a tab; null where it is one. */
  readonly openTab: (() => void) | null;
}

/** The panel's place in Lab; what it shows is loaded when it is first seen. */
export class PanelShell extends Widget {
  constructor(private readonly _options: IPanelOptions) {
    super();
    this.addClass('jp-EinfraUsagePanel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _options.trans.__('Usage'));
    this.layout = new PanelLayout();
  }

  /** Show a time that contains the moment, and mark that; as soon as there are charts. */
  point(moment: Date): void {
    this._moment = moment;
    this._view?.point(moment);
  }

  protected override onAfterAttach(): void {
    this._load();
  }

  protected override onAfterShow(): void {
    this._load();
  }

  protected override onActivateRequest(): void {
    // The palette gives the focus back once a command is done: take it after that.
    this._wantsFocus = true;
    requestAnimationFrame(() => {
      this._focus();
    });
  }

  private _focus(): void {
    if (this._wantsFocus && focusFirst(this.node)) {
      this._wantsFocus = false;
    }
  }

  private _load(): void {
    if (this._loaded || !this.isVisible) {
      return;
    }
    this._loaded = true;
    import('./panel-view').then(
      ({ PanelView }) => {
        if (!this.isDisposed) {
          const view = new PanelView(this._options);
          this._show(view);
          this._view = view;
          if (this._moment) {
            view.point(this._moment);
          }
          void view.renderPromise?.then(() => {
            this._focus();
          });
        }
      },
      (error: unknown) => {
        console.warn('jupyter-einfra: the usage panel cannot be loaded.', error);
        this._loaded = false;
        this._show(this._failure());
      }
    );
  }

  private _show(widget: Widget): void {
    const layout = this.layout as PanelLayout;
    while (layout.widgets[0]) {
      layout.widgets[0].dispose();
    }
    widget.id = `${this.id}-view`;
    layout.addWidget(widget);
  }

  private _failure(): Widget {
    const { trans } = this._options;
    const widget = new Widget();
    const note = document.createElement('p');
    note.textContent = trans.__(
      'This panel cannot be loaded. The server may be away, or it was updated: try again, or reload the page.'
    );
    const retry = document.createElement('button');
    retry.textContent = trans.__('Try Again');
    retry.addEventListener('click', () => {
      this._load();
    });
    widget.node.append(note, retry);
    widget.addClass('jp-EinfraUsagePanel-failure');
    return widget;
  }

  private _loaded = false;
  private _moment: Date | null = null;
  private _view: PanelView | null = null;
  private _wantsFocus = false;
}
