import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { agreed } from '../api/ask';
import type { Format } from '../api/format';
import type { Acts } from './acts';
import { captionOf } from './captions';
import { iconOf } from './icons';
import { CommandIDs } from './ids';
import { isMeant, keepsSession, lossesOf, mayEnd } from './losses';
import { resetLosses } from './launch/reset';
import { isAlive, isFailed, type App, type AppsModel, type Instance } from './model';
import { keepInStep } from './offers';
import type { Opener } from './opener';
import { targetOf, type ITarget } from './selected';

interface IOptions {
  readonly app: JupyterFrontEnd;
  readonly model: AppsModel;
  readonly acts: Acts;
  readonly opener: Opener;
  readonly showLog: (instance: Instance) => Promise<void>;
  readonly trans: TranslationBundle;
  readonly format: Format;
  readonly palette: ICommandPalette | null;
  readonly browsers: IFileBrowserFactory | null;
}

/** A file or folder in the file browser. */
const ITEM = '.jp-DirListing-item';

/** More at once is hardly meant: each takes a tab, and some take a program. */
const MOST_OPENED = 10;

/** The value of an argument that names something; empty where there is none. */
function named(args: ReadonlyPartialJSONObject, name: string): string {
  const value = args[name];
  return typeof value === 'string' ? value : '';
}

/** The argument that names an application or an instance. */
function argument(name: string, description: string): ReadonlyJSONObject {
  return {
    type: 'object',
    properties: { [name]: { type: 'string', description } },
    required: [name]
  };
}

/** Add the commands, and what leads to them in the palette and the file browser. */
export function addCommands(options: IOptions): void {
  const { acts, app, format, model, opener, showLog, trans } = options;
  const { commands } = app;
  const appOf = (args: ReadonlyPartialJSONObject): App | null =>
    model.app(named(args, 'app'));
  const instanceOf = (args: ReadonlyPartialJSONObject): Instance | null =>
    model.instance(named(args, 'id'));
  const localPath = (path: string): string => app.serviceManager.contents.localPath(path);
  const selectedFor = (found: App | null): ITarget[] => {
    const items = options.browsers?.tracker.currentWidget?.selectedItems() ?? [];
    const targets = new Map<string, ITarget>(); // several notebooks have one folder
    for (const item of items) {
      const target = found && targetOf(found, { ...item, path: localPath(item.path) });
      if (target) {
        targets.set(target.path, target);
      }
    }
    return [...targets.values()];
  };

  commands.addCommand(CommandIDs.open, {
    label: args => {
      const title = appOf(args)?.title ?? trans.__('Application');
      return args['isLauncher'] ? title : trans.__('Open %1', title);
    },
    caption: args => {
      const found = appOf(args);
      return found ? captionOf(found, model.lostSince, trans, format) : '';
    },
    icon: args => {
      const found = appOf(args);
      return found
        ? iconOf(found, args['isLauncher'] ? model.badge(found) : null)
        : undefined;
    },
    describedBy: { args: argument('app', trans.__('Name of the application')) },
    isEnabled: args => appOf(args)?.installed ?? false,
    execute: async args => {
      const name = named(args, 'app');
      const path = typeof args['path'] === 'string' ? args['path'] : null;
      const openIn = args['openIn'];
      const where = openIn === 'lab' || openIn === 'browser' ? openIn : null;
      if (path === null && model.app(name)?.per_folder) {
        return opener.choose(name, named(args, 'cwd'));
      }
      return opener.open(name, path, where);
    }
  });

  /** What the entries of the file browser's menu have in common. */
  const entry: Pick<CommandRegistry.ICommandOptions, 'icon' | 'describedBy'> = {
    icon: args => {
      const found = appOf(args);
      return found ? iconOf(found, null) : undefined;
    },
    describedBy: { args: argument('app', trans.__('Name of the application')) }
  };
  commands.addCommand(CommandIDs.openSelected, {
    ...entry,
    label: args => {
      const found = appOf(args);
      const title = found?.title ?? '';
      return selectedFor(found).some(({ isItem }) => isItem)
        ? trans.__('Open in %1', title)
        : trans.__('Open Its Folder in %1', title);
    },
    isVisible: args => {
      const found = appOf(args);
      return found !== null && found.installed && selectedFor(found).length > 0;
    },
    isEnabled: args => selectedFor(appOf(args)).length <= MOST_OPENED,
    execute: async args => {
      // One after the other, so that the tabs are in their order.
      for (const { path } of selectedFor(appOf(args))) {
        await opener.open(named(args, 'app'), path);
      }
    }
  });

  commands.addCommand(CommandIDs.openHere, {
    ...entry,
    label: args => trans.__('Open This Folder in %1', appOf(args)?.title ?? ''),
    // An item has an entry of its own.
    isVisible: args =>
      (appOf(args)?.installed ?? false) &&
      !app.contextMenuHitTest(node => node.matches(ITEM)),
    execute: async args => {
      const browser = options.browsers?.tracker.currentWidget;
      if (browser) {
        await opener.open(named(args, 'app'), localPath(browser.model.path));
      }
    }
  });

  const ofInstance = (
    id: string,
    label: (title: string, state: Instance['state'] | undefined) => string,
    execute: (instance: Instance) => unknown,
    isEnabled: (instance: Instance) => boolean
  ): void => {
    commands.addCommand(id, {
      label: args => {
        const found = instanceOf(args);
        return label(found?.title ?? '', found?.state);
      },
      describedBy: { args: argument('id', trans.__('Id of the running application')) },
      isEnabled: args => {
        const found = instanceOf(args);
        return found !== null && isEnabled(found);
      },
      execute: args => {
        const found = instanceOf(args);
        return found && execute(found);
      }
    });
  };
  ofInstance(
    CommandIDs.show,
    title => trans.__('Show %1', title),
    instance => opener.show(instance, instance.url),
    () => true
  );
  ofInstance(
    CommandIDs.stop,
    title => trans.__('Stop %1', title),
    async instance => {
      if (await mayEnd(trans.__('Stop'), instance, model, trans)) {
        await acts.stop(instance.id);
      }
    },
    isAlive
  );
  ofInstance(
    CommandIDs.dismiss,
    title => trans.__('Dismiss %1', title),
    ({ id }) => acts.stop(id),
    isFailed
  );
  ofInstance(
    CommandIDs.restart,
    (title, state) =>
      state === 'failed' ? trans.__('Try again: %1', title) : trans.__('Restart %1', title),
    async instance => {
      if (isFailed(instance)) {
        await acts.start(instance.id);
      } else if (await mayEnd(trans.__('Restart'), instance, model, trans)) {
        await acts.restart(instance.id);
      }
    },
    () => true
  );
  ofInstance(
    CommandIDs.reset,
    title => trans.__('Reset the Session of %1', title),
    async ({ id, app: name, title }) => {
      const losses = resetLosses(title, model.app(name)?.kept_in ?? '', trans);
      const label = trans.__('Reset');
      if (await agreed(trans.__('Reset the session of %1?', title), losses, label, trans)) {
        await acts.reset(id);
      }
    },
    ({ app: name }) => keepsSession(model, name)
  );
  commands.addCommand(CommandIDs.stopAll, {
    label: () =>
      model.instances.some(isAlive) || model.instances.length === 0
        ? trans.__('Stop All')
        : trans.__('Dismiss All'),
    className: 'jp-RunningSessions-shutdownAll', // looks like Lab's own
    describedBy: { args: { type: 'object' } },
    isEnabled: () => model.instances.length > 0,
    execute: async () => {
      const { instances } = model;
      const label = trans.__('Stop All');
      if (await isMeant(`${label}?`, lossesOf(instances, trans), label, trans)) {
        await Promise.all(instances.map(({ id }) => acts.stop(id)));
      }
    }
  });
  ofInstance(
    CommandIDs.log,
    title => trans.__('Show the Log of %1', title),
    instance => showLog(instance),
    () => true
  );

  keepInStep({ ...options, hasBrowser: options.browsers !== null });
}
