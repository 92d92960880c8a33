import type { ILauncher } from '@jupyterlab/launcher';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';

import type { AppsModel } from './model';

/** After notebooks and consoles, before all else. */
const CATEGORY_RANK = 50;

/** Keeps the launcher's tiles in step with what there is and what it does. */
export function addTiles(
  launcher: ILauncher,
  model: AppsModel,
  commands: CommandRegistry,
  command: string,
  trans: TranslationBundle
): void {
  let tiles: IDisposable[] = [];
  let names = '';
  let shown = '';
  const category = trans.__('Applications');
  const argsOf = (name: string): ReadonlyJSONObject => ({ app: name, isLauncher: true });
  model.changed.connect(() => {
    const now = JSON.stringify(
      model.installed.map(app => [
        app.name,
        app.title,
        app.icon_svg,
        model.badge(app),
        commands.caption(command, argsOf(app.name))
      ])
    );
    if (now === shown) {
      return;
    }
    shown = now;
    const namesNow = JSON.stringify(model.installed.map(({ name }) => name));
    if (namesNow === names) {
      // The launcher looks at a tile's command only when tiles change. One that goes as soon
      // as it comes leaves the others as they are, with the focus.
      launcher.add({ command, category }).dispose();
      return;
    }
    names = namesNow;
    for (const tile of tiles) {
      tile.dispose();
    }
    tiles = model.installed.map((app, rank) =>
      launcher.add({
        command,
        args: argsOf(app.name),
        category,
        categoryRank: CATEGORY_RANK,
        rank
      })
    );
  });
}
