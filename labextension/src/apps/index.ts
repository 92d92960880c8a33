import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, type MainAreaWidget } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Format } from '../api/format';
import { late } from '../api/failure';
import { request, type Requester } from '../api/request';
import { followSettings } from '../api/settings';
import { localStore } from '../api/tabs';
import { IEinfraStream } from '../tokens';
import { Acts } from './acts';
import { addCommands } from './commands';
import { Figures } from './figures';
import { CommandIDs } from './ids';
import { LANGUAGE_KEY } from './launch/around';
import { AppsModel, type Instance } from './model';
import { Opener } from './opener';
import { addRunning } from './running';
import { DEFAULT_SETTINGS, type IAppsSettings } from './settings';
import { addTiles } from './tiles';
import { grantWishes } from './wishes';

const ID = '@e-infra/jupyter-einfra:apps';

/** Offers the applications of this server, and looks after those that run. */
export const appsPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Offers the applications of this server, and looks after those that run.',
  autoStart: true,
  requires: [IEinfraStream],
  optional: [
    ISettingRegistry,
    ITranslator,
    ICommandPalette,
    ILauncher,
    IRunningSessionManagers,
    IFileBrowserFactory,
    ILayoutRestorer
  ],
  activate: (
    app: JupyterFrontEnd,
    stream: IEinfraStream,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    running: IRunningSessionManagers | null,
    browsers: IFileBrowserFactory | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const { languageCode } = translator ?? nullTranslator;
    const trans = (translator ?? nullTranslator).load('jupyter_einfra');
    const format = new Format(trans, languageCode);
    const { serverSettings } = app.serviceManager;
    const ask: Requester = (path, init) => request(path, init, serverSettings);
    let settings: IAppsSettings = DEFAULT_SETTINGS;

    const model = new AppsModel(stream);
    const acts = new Acts(ask, trans);
    const logs = new Map<string, MainAreaWidget>();
    const showLog = async (instance: Instance): Promise<void> => {
      const { id } = instance;
      const parts = await late(import('./late'), trans);
      let tab = logs.get(id);
      if (!tab) {
        if (!parts) {
          return;
        }
        tab = parts.makeLogTab({
          instance,
          icon: model.app(instance.app)?.icon_svg ?? '',
          keptIn: model.app(instance.app)?.kept_in ?? null,
          trans,
          format,
          request: ask,
          open: () => void app.commands.execute(CommandIDs.show, { id })
        });
        logs.set(id, tab);
        tab.disposed.connect(() => logs.delete(id));
        app.shell.add(tab, 'main');
      }
      app.shell.activateById(tab.id);
    };
    const opener = new Opener({
      app,
      model,
      acts,
      showLog,
      trans,
      settings: () => settings
    });
    addCommands({ app, model, acts, opener, showLog, trans, format, palette, browsers });
    if (launcher) {
      addTiles(launcher, model, app.commands, CommandIDs.open, trans);
    }
    if (running) {
      const figures = new Figures(stream, model);
      figures.watch(app);
      addRunning(running, { app, model, acts, figures, trans, format });
    }
    if (restorer) {
      opener.restoreBy(restorer);
    }
    grantWishes(model, opener, app.commands, serverSettings.baseUrl);
    try {
      localStore()?.setItem(LANGUAGE_KEY, languageCode);
    } catch {
      // Full, or not allowed: that page then speaks the browser's language.
    }

    followSettings(registry, ID, DEFAULT_SETTINGS, now => {
      settings = now;
      model.follow(settings.show);
    });
  }
};
