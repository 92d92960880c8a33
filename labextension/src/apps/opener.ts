import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { Notification, WidgetTracker } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { blankIcon } from '@jupyterlab/ui-components';

import { describe } from '../api/messages';
import type { Acts } from './acts';
import { makeTab, type AppTab, type IShown } from './frame';
import { iconOf } from './icons';
import { isChosen } from './launch/page';
import type { AppsModel, Instance } from './model';
import { seldom } from './presence/report';
import type { IAppsSettings } from './settings';
import { titleOf } from './titles';

/** Restores a tab; nobody calls it by hand. */
export const RESTORE_COMMAND = 'einfra-apps:restore';

/** Brings applications before the user: in a tab of Lab, or of the browser. */
export class Opener {
  constructor(private readonly _options: Opener.IOptions) {
    window.addEventListener('message', event => {
      this._onMessage(event);
    });
  }

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
    const { instance, url, note } = address;
    if (note) {
      Notification.info(describe(note, this._options.trans), { autoClose: false });
    }
    const title = titleOf(instance, url);
    return this._show({ app: name, id: instance.id, title, url }, page, instance);
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

  /** Show what runs already, or is being started, at one of its addresses. */
  show(
    instance: Instance,
    url: string,
    where: IAppsSettings['openIn'] | null = null
  ): AppTab | null {
    const place = where ?? this._options.settings().openIn;
    const { app, id } = instance;
    const shown = { app, id, title: titleOf(instance, url), url };
    return this._show(shown, place === 'browser' ? window.open('about:blank') : null);
  }

  /** Have Lab put tabs back after a reload, as they were, and nothing started by that. */
  restoreBy(restorer: ILayoutRestorer): void {
    const { app, model } = this._options;
    app.commands.addCommand(RESTORE_COMMAND, {
      describedBy: { args: { type: 'object' } },
      execute: args => {
        const shown = args as unknown as IShown;
        const made = this._find(shown) ?? this._add(shown, shown.id !== null);
        const draw = (): void => {
          const described = model.app(shown.app);
          if (described || made.isDisposed) {
            model.changed.disconnect(draw);
          }
          if (described) {
            const icon = iconOf(described, null);
            // As Lab does with an icon that is there when the tab is added.
            made.title.icon = icon.bindprops({ stylesheet: 'mainAreaTab' });
          }
        };
        model.changed.connect(draw);
        draw();
      }
    });
    void restorer.restore(this._tracker, {
      command: RESTORE_COMMAND,
      name: tab => tab.id,
      args: tab => ({ ...tab.content.shown })
    });
  }

  /** Have a folder that was chosen in a tab shown in the one that is its own. */
  private _onMessage(event: MessageEvent<unknown>): void {
    const { data, origin } = event;
    if (origin !== window.location.origin || !isChosen(data)) {
      return;
    }
    const chooser = this._tracker.find(
      ({ content }) => content.shown.id === null && content.sent(event)
    );
    const app = chooser?.content.shown.app ?? '';
    if (chooser && data.id.startsWith(`${app}/`)) {
      const { id, title } = data;
      const tab = this._bring({ app, id, title, url: `${id}/` }, null, chooser);
      chooser.dispose();
      this._options.app.shell.activateById(tab.id);
    }
  }

  /** @param instance - as it is now, where more is known than the model was told yet */
  private _show(
    shown: IShown,
    page: Window | null,
    instance: Instance | null = null
  ): AppTab | null {
    const { app } = this._options;
    if (page) {
      page.location.replace(this._address(shown.url));
      return null;
    }
    const tab = this._bring(shown, instance, null);
    app.shell.activateById(tab.id);
    return tab;
  }

  /**
   * Have a tab with a page that works.
   *
   * @param beside - where to put it, if it is not there
   */
  private _bring(shown: IShown, instance: Instance | null, beside: AppTab | null): AppTab {
    const there = this._find(shown);
    if (!there) {
      return this._add(shown, false, beside);
    }
    if (shown.id === null) {
      there.content.choose(shown);
    } else {
      there.content.renew(instance ?? this._options.model.instance(shown.id));
    }
    return there;
  }

  private _find(shown: IShown): AppTab | undefined {
    return this._tracker.find(tab => tab.id === idOf(shown));
  }

  /** Put a tab into Lab. */
  private _add(shown: IShown, waits: boolean, beside: AppTab | null = null): AppTab {
    const { acts, app, model, showLog, trans } = this._options;
    const described = model.app(shown.app);
    const tab = makeTab(idOf(shown), {
      shown,
      model,
      // Lab styles a tab that comes without any as one that never has one.
      icon: described ? iconOf(described, null) : blankIcon,
      trans,
      waits,
      address: url => this._address(url),
      onLog: instance => void showLog(instance),
      onUse: this._useOf(shown.id),
      onStart: () => {
        void (async () => {
          if (shown.id === null || (await acts.start(shown.id))) {
            tab.content.load();
            app.shell.activateById(tab.id);
          }
        })();
      }
    });
    app.shell.add(tab, 'main', beside ? { ref: beside.id, mode: 'tab-after' } : {});
    void this._tracker.add(tab);
    return tab;
  }

  /** What tells the server that the user does something in a program. */
  private _useOf(id: string | null): () => void {
    const { acts } = this._options;
    const place = this._address('jupyter-einfra/apps/used');
    return id === null ? () => undefined : seldom(place, id, () => acts.use(id));
  }

  private _address(url: string): string {
    return URLExt.join(this._options.app.serviceManager.serverSettings.baseUrl, '/') + url;
  }

  private readonly _tracker = new WidgetTracker<AppTab>({ namespace: 'einfra-apps' });
}

export namespace Opener {
  export interface IOptions {
    readonly app: JupyterFrontEnd;
    readonly model: AppsModel;
    readonly acts: Acts;
    readonly showLog: (instance: Instance) => Promise<void>;
    readonly trans: TranslationBundle;
    readonly settings: () => IAppsSettings;
  }
}

/** Of the tab: there is one for each address, and one of each application to choose in. */
function idOf({ app, id, url }: IShown): string {
  return `einfra-apps-${id === null ? `${app}/` : url}`;
}
