import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { late } from '../api/failure';
import { request, type Requester } from '../api/request';
import { followSettings } from '../api/settings';
import { IEinfraStream } from '../tokens';
import { addAwait } from './await';
import { addCommands } from './commands';
import { ActivityModel, isWorthTelling } from './model';
import type { Welcome } from './overlay';
import { DEFAULT_SETTINGS, type IActivitySettings } from './settings';
import { Touch } from './touch';

const ID = '@e-infra/jupyter-einfra:activity';

/** Tells a user who comes back what happened while they were away. */
export const activityPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Tells a user who comes back what happened while they were away.',
  autoStart: true,
  requires: [IEinfraStream],
  optional: [
    ISettingRegistry,
    ITranslator,
    ICommandPalette,
    ILauncher,
    IToolbarWidgetRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    stream: IEinfraStream,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    toolbars: IToolbarWidgetRegistry | null
  ): void => {
    const { languageCode: language } = translator ?? nullTranslator;
    const trans = (translator ?? nullTranslator).load('jupyter_einfra');
    const { serverSettings } = app.serviceManager;
    const ask: Requester = (path, init) => request(path, init, serverSettings);
    const model = new ActivityModel(stream);
    const touch = new Touch();
    let settings: IActivitySettings = { ...DEFAULT_SETTINGS, show: false };
    let setShown: ((show: boolean) => void) | null = null;

    let overlay: Promise<Welcome> | null = null;
    const load = (): Promise<Welcome> => {
      overlay ??= import('./overlay').then(
        ({ Welcome }) =>
          new Welcome({
            app,
            model,
            request: ask,
            trans,
            language,
            settings: () => settings,
            setShown: () => setShown,
            hasUsage: () =>
              stream.snapshot?.features.some(
                ({ name, state }) => name === 'usage' && state === 'on'
              ) ?? false,
            isTouched: () => touch.begun
          })
      );
      overlay.catch(() => {
        overlay = null;
      });
      return overlay;
    };

    addCommands({
      app,
      model,
      request: ask,
      trans,
      palette,
      launcher,
      open: async () => {
        await (await late(load(), trans))?.open();
      }
    });
    addAwait({ app, model, request: ask, trans, palette, toolbars });

    const told = new Set<string>();
    const consider = (): void => {
      const { isOffered, status } = model;
      const absence = status?.away_since ?? '';
      if (isOffered && status && !told.has(absence) && isWorthTelling(status, settings)) {
        told.add(absence);
        // Neither waits for the other, nor for Lab, which is busy with itself.
        void Promise.all([load(), ask('activity/digest', {})])
          .then(([welcome, response]) => welcome.tell(response))
          .catch((error: unknown) => {
            console.warn('jupyter-einfra: what happened cannot be told.', error);
            told.delete(absence); // the next connection may be better
          });
      }
    };
    model.changed.connect(consider);

    followSettings(registry, ID, DEFAULT_SETTINGS, (now, keep) => {
      settings = now;
      setShown =
        keep &&
        (show => {
          settings = { ...settings, show };
          keep('show', show).catch((error: unknown) => {
            console.warn('jupyter-einfra: the setting cannot be kept.', error);
          });
        });
      consider();
    });
  }
};
