import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { whenChanged } from '../api/changes';
import { Format } from '../api/format';
import { request } from '../api/request';
import { followSettings } from '../api/settings';
import { IEinfraStream } from '../tokens';
import { addCommands } from './commands';
import { CommandIDs } from './ids';
import { IdleModel } from './model';
import { DEFAULT_SETTINGS } from './settings';
import { IdleItem } from './widget';
import { When } from '../api/when';
import { IdleWords } from './words';

const ID = '@e-infra/jupyter-einfra:idle';

/** Right of the usage. */
const RANK = 101;

/** Tells whether an operator's policy will delete this server, and what can be done. */
export const idlePlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Tells whether this server will be kept, and what to do if it will not.',
  autoStart: true,
  requires: [IEinfraStream],
  optional: [IStatusBar, ISettingRegistry, ITranslator, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    stream: IEinfraStream,
    statusBar: IStatusBar | null,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const { languageCode } = translator ?? nullTranslator;
    const trans = (translator ?? nullTranslator).load('jupyter_einfra');
    const format = new Format(trans, languageCode);
    const words = new IdleWords(trans, format, new When(languageCode));
    const now = (): Date => new Date();
    const model = new IdleModel({ stream, trans, words, shown: false, now });
    const { serverSettings } = app.serviceManager;
    addCommands({
      app,
      model,
      request: (path, init) => request(path, init, serverSettings),
      words,
      trans,
      palette,
      restorer,
      now
    });

    if (statusBar) {
      const activeStateChanged = new Signal<IdleModel, void>(model);
      const isActive = (): boolean => model.view.kind !== 'hidden';
      whenChanged(
        isActive,
        () => {
          activeStateChanged.emit();
        },
        model.stateChanged
      );
      statusBar.registerStatusItem(ID, {
        item: new IdleItem(model, trans, () => {
          void app.commands.execute(CommandIDs.open);
        }),
        align: 'left',
        rank: RANK,
        // Stays in narrow windows: its style cuts it there.
        priority: 1,
        isActive,
        activeStateChanged
      });
    }

    followSettings(registry, ID, DEFAULT_SETTINGS, ({ show }) => {
      model.shown = show;
    });
  }
};
