import type { ILauncher } from '@jupyterlab/launcher';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';

import { badgeOf, type AppsModel } from './model';

/** After notebooks and consoles, before all else. */
const CATEGORY_RANK = 50;

/** Keeps the launcher's tiles in step with what there is and what it does. */
export function addTiles(
  launcher: ILauncher,
  model: AppsModel,
  command: string,
  trans: TranslationBundle
): void {
  let tiles: IDisposable[] = [];
  let shown = '';
  model.changed.connect(() => {
    // The launcher looks at a tile's command only when tiles change.
    const now = JSON.stringify(
      model.installed.map(app => [app.name, app.title, app.icon_svg, badgeOf(app)])
    );
    if (now === shown) {
      return;
    }
    shown = now;
    for (const tile of tiles) {
      tile.dispose();
    }
    tiles = model.installed.map((app, rank) =>
      launcher.add({
        command,
        args: { app: app.name, isLauncher: true },
        category: trans.__('Applications'),
        categoryRank: CATEGORY_RANK,
        rank
      })
    );
  });
}
