import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Acts } from './acts';
import { makeTab, type AppTab } from './frame';
import { iconOf } from './icons';
import type { AppsModel } from './model';
import type { IAppsSettings } from './settings';

/** Restores a tab; nobody calls it by hand. */
export const RESTORE_COMMAND = 'einfra-apps:restore';

/** What a tab shows, and what Lab keeps of it. */
export interface IShown {
  /** Of the application. */
  readonly app: string;

  /** Of the instance; null for the page that lets one choose. */
  readonly id: string | null;

  readonly title: string;

  /** Relative to the server's base URL. */
  readonly url: string;
}

/** Brings applications before the user: in a tab of Lab, or of the browser. */
export class Opener {
  constructor(private readonly _options: Opener.IOptions) {}

  /**
   * Start an application if need be, and show it.
   *
   * @param path - a folder or file, as Lab names it; null for none
   * @param where - null for what the user has set
   */
  async open(
    name: string,
    path: string | null,
    where: IAppsSettings['openIn'] | null = null
  ): Promise<AppTab | null> {
    const { acts, model, settings } = this._options;
    const place = where ?? settings().openIn;
    // At once: later, a browser takes it for a window that nobody asked for.
    const page = place === 'browser' ? window.open('about:blank') : null;
    const app = model.app(name);
    if (app?.per_folder && path === null) {
      return this._show({ app: name, id: null, title: app.title, url: app.url }, page);
    }
    const address = await acts.open(name, path);
    if (!address) {
      page?.close();
      return null;
    }
    const { id, title } = address.instance;
    return this._show({ app: name, id, title, url: address.url }, page);
  }

  /** Let the user choose a folder, beginning with one. */
  choose(name: string, folder: string): AppTab | null {
    const app = this._options.model.app(name);
    if (!app) {
      return null;
    }
    const url = folder ? `${app.url}?folder=${encodeURIComponent(folder)}` : app.url;
    const inBrowser = this._options.settings().openIn === 'browser';
    const page = inBrowser ? window.open('about:blank') : null;
    return this._show({ app: name, id: null, title: app.title, url }, page);
  }

  /** Show what runs already, or is being started. */
  show(shown: IShown, where: IAppsSettings['openIn'] | null = null): AppTab | null {
    const place = where ?? this._options.settings().openIn;
    return this._show(shown, place === 'browser' ? window.open('about:blank') : null);
  }

  /** Have Lab put tabs back after a reload, as they were, and nothing started by that. */
  restoreBy(restorer: ILayoutRestorer): void {
    const { app, model } = this._options;
    app.commands.addCommand(RESTORE_COMMAND, {
      describedBy: { args: { type: 'object' } },
      execute: args => {
        const shown = args as unknown as IShown;
        const made = this._place(shown, shown.id !== null);
        const look = (): void => {
          if (!model.isReady && !made.isDisposed) {
            return;
          }
          model.changed.disconnect(look);
          const described = model.app(shown.app);
          made.title.icon = described ? iconOf(described, null) : undefined;
          if (shown.id !== null && model.instance(shown.id)?.state === 'running') {
            made.content.load();
          }
        };
        model.changed.connect(look);
        look();
      }
    });
    void restorer.restore(this._tracker, {
      command: RESTORE_COMMAND,
      name: tab => tab.id,
      args: tab => ({ ...this._shown.get(tab) })
    });
  }

  private _show(shown: IShown, page: Window | null): AppTab | null {
    if (page) {
      page.location.replace(this._address(shown.url));
      return null;
    }
    const tab = this._place(shown, false);
    this._options.app.shell.activateById(tab.id);
    return tab;
  }

  /** Put a tab into Lab, if it is not there. */
  private _place(shown: IShown, waits: boolean): AppTab {
    const { acts, app, model, trans } = this._options;
    const id = `einfra-apps-${shown.url}`;
    const there = this._tracker.find(tab => tab.id === id);
    if (there) {
      return there;
    }
    const described = model.app(shown.app);
    const tab = makeTab(id, {
      url: this._address(shown.url),
      title: shown.title,
      icon: described ? iconOf(described, null) : undefined,
      trans,
      waits,
      onStart: () => {
        void (async () => {
          if (shown.id === null || (await acts.start(shown.id))) {
            tab.content.load();
            app.shell.activateById(tab.id);
          }
        })();
      }
    });
    this._shown.set(tab, shown);
    app.shell.add(tab, 'main');
    void this._tracker.add(tab);
    return tab;
  }

  private _address(url: string): string {
    return URLExt.join(this._options.app.serviceManager.serverSettings.baseUrl, '/') + url;
  }

  private readonly _shown = new Map<AppTab, IShown>();
  private readonly _tracker = new WidgetTracker<AppTab>({ namespace: 'einfra-apps' });
}

export namespace Opener {
  export interface IOptions {
    readonly app: JupyterFrontEnd;
    readonly model: AppsModel;
    readonly acts: Acts;
    readonly trans: TranslationBundle;
    readonly settings: () => IAppsSettings;
  }
}
