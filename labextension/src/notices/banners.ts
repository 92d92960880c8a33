import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { Banner } from './banner';
import { NotebookNotices } from './notebook';

/** The explanations on all open notebooks. */
export class Banners {
  constructor(private readonly _options: Banners.IOptions) {
    // By name: Lab without notebooks has none to explain anything on.
    _options.app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel, context) =>
        panel instanceof MainAreaWidget
          ? this._add(panel as MainAreaWidget, context)
          : undefined
    });
  }

  /** Take notices and what was dismissed as they are now. */
  update(): void {
    for (const model of this._open.keys()) {
      model.update();
    }
  }

  /** Ids of those that somebody has before their eyes. */
  get visible(): ReadonlySet<string> {
    const shown = [...this._open].filter(([, panel]) => panel.isVisible);
    return new Set(shown.flatMap(([{ banners }]) => banners.map(({ id }) => id)));
  }

  private _add(
    panel: MainAreaWidget,
    context: NotebookNotices.IOptions['context']
  ): IDisposable {
    const { app, openUsage, trans } = this._options;
    const model = new NotebookNotices({ ...this._options, context });
    const giveFocusBack = (): void => {
      app.shell.activateById(panel.id);
    };
    const banner = new Banner({ model, trans, openUsage, giveFocusBack });
    panel.contentHeader.addWidget(banner);
    this._open.set(model, panel);
    return new DisposableDelegate(() => {
      this._open.delete(model);
      model.dispose();
      banner.dispose();
    });
  }

  private readonly _open = new Map<NotebookNotices, MainAreaWidget>();
}

export namespace Banners {
  export interface IOptions extends Omit<NotebookNotices.IOptions, 'context'> {
    readonly app: JupyterFrontEnd;
    readonly openUsage: () => (() => void) | null;
  }
}
