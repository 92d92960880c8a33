import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';

import { CommandIDs } from './ids';
import { keepsSession } from './losses';
import { isFailed, type App, type AppsModel } from './model';
import { selectorsOf } from './selected';

interface IOptions {
  readonly app: JupyterFrontEnd;
  readonly model: AppsModel;
  readonly trans: TranslationBundle;
  readonly palette: ICommandPalette | null;

  /** Whether there is a file browser. */
  readonly hasBrowser: boolean;
}

/** Offer in the palette and the file browser what there is, and no more. */
export function keepInStep({ app, hasBrowser, model, palette, trans }: IOptions): void {
  let offered: IDisposable[] = [];
  let before = '';
  model.changed.connect(() => {
    const now = JSON.stringify([
      model.installed.map(app => [app.name, app.title, ...selectorsOf(app)]),
      model.instances.map(({ id, title, state }) => [id, title, state])
    ]);
    if (now === before) {
      return;
    }
    before = now;
    for (const item of offered) {
      item.dispose();
    }
    const category = trans.__('Applications');
    offered = model.installed.flatMap((installed, rank) => {
      const args = { app: installed.name };
      return [
        palette?.addItem({ command: CommandIDs.open, args, category }),
        ...(hasBrowser ? placesOf(installed) : []).map(place =>
          app.contextMenu.addItem({ ...place, args, rank: 2 + rank / 100 })
        )
      ].filter(item => item !== undefined);
    });
    if (model.instances.length > 0 && palette) {
      offered.push(palette.addItem({ command: CommandIDs.stopAll, category }));
    }
    for (const instance of model.instances) {
      const { id } = instance;
      const end = isFailed(instance) ? CommandIDs.dismiss : CommandIDs.stop;
      const reset = keepsSession(model, instance.app) ? [CommandIDs.reset] : [];
      for (const command of [end, CommandIDs.restart, ...reset, CommandIDs.log]) {
        const item = palette?.addItem({ command, args: { id }, category });
        offered.push(...(item ? [item] : []));
      }
    }
    for (const command of Object.values(CommandIDs)) {
      app.commands.notifyCommandChanged(command);
    }
  });
}

/** What has to be under the pointer, and what can be done there. */
function placesOf(app: App): { readonly command: string; readonly selector: string }[] {
  return [
    ...selectorsOf(app).map(selector => ({ command: CommandIDs.openSelected, selector })),
    ...(app.opens_folders
      ? [{ command: CommandIDs.openHere, selector: '.jp-DirListing-content' }]
      : [])
  ];
}
