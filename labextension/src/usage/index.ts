import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, IThemeManager } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { whenChanged } from '../api/changes';
import { request } from '../api/request';
import { followSettings, type Keep } from '../api/settings';
import { IEinfraStream } from '../tokens';
import { addCommands } from './commands';
import { Format } from '../api/format';
import { UsageModel } from './model';
import { addPanel, PanelCommandIDs } from './panel';
import { UsagePopup } from './popup';
import { DEFAULT_SETTINGS, type IUsageSettings } from './settings';
import { UsageStatus } from './widget';

const ID = '@e-infra/jupyter-einfra:usage';

/** Right of the kernel's status, so that it yields to Lab's own items. */
const RANK = 100;

/** Shows what this server uses in the status bar, and in depth in a panel. */
export const usagePlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Shows in the status bar and in a panel what this server uses.',
  autoStart: true,
  requires: [IStatusBar, IEinfraStream],
  optional: [
    ISettingRegistry,
    ITranslator,
    ICommandPalette,
    ILayoutRestorer,
    IThemeManager
  ],
  activate: (
    app: JupyterFrontEnd,
    statusBar: IStatusBar,
    stream: IEinfraStream,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null
  ): void => {
    const { languageCode } = translator ?? nullTranslator;
    const trans = (translator ?? nullTranslator).load('jupyter_einfra');
    const format = new Format(trans, languageCode);
    const model = new UsageModel({
      stream,
      trans,
      format,
      settings: { ...DEFAULT_SETTINGS, show: false }
    });
    const popup = new UsagePopup(model, trans, () => {
      void app.commands.execute(PanelCommandIDs.open);
    });
    const openPopup = (): void => {
      popup.toggle(item);
    };
    const item = new UsageStatus(model, trans, openPopup);
    const activeStateChanged = new Signal<UsageModel, void>(model);
    const isActive = (): boolean => model.view.kind !== 'hidden';
    whenChanged(
      isActive,
      () => {
        activeStateChanged.emit();
      },
      model.stateChanged
    );
    statusBar.registerStatusItem(ID, {
      item,
      align: 'left',
      rank: RANK,
      // Stays in narrow windows: its style drops its less important parts there.
      priority: 1,
      isActive,
      activeStateChanged
    });

    let keep: Keep<IUsageSettings> | null = null;
    const setShown = async (show: boolean): Promise<void> => {
      if (keep) {
        await keep('show', show);
      } else {
        model.settings = { ...model.settings, show };
      }
    };
    addCommands({
      app,
      model,
      trans,
      palette,
      setShown,
      openPopup
    });

    const { serverSettings } = app.serviceManager;
    const placePanel = addPanel({
      app,
      stream,
      request: (path, init) => request(path, init, serverSettings),
      trans,
      format,
      language: languageCode,
      themes,
      settings: () => model.settings,
      palette,
      restorer
    });

    followSettings(registry, ID, DEFAULT_SETTINGS, (settings, kept) => {
      model.settings = settings;
      keep = kept;
      placePanel();
    });
  }
};
