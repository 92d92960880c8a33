import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import {
  WidgetTracker,
  type ICommandPalette,
  type MainAreaWidget
} from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { whenChanged } from '../api/changes';
import { late } from '../api/failure';
import type { Requester } from '../api/request';
import { controlPanel } from './hub';
import { CommandIDs, PAGE_ID } from './ids';
import type { IdleModel } from './model';
import type * as Page from './page';
import { Stopper } from './stop';
import type { IdleWords } from './words';

/** Lab's own, which may not be there. */
const SAVE_ALL = 'docmanager:save-all';

interface IOptions {
  readonly app: JupyterFrontEnd;
  readonly model: IdleModel;
  readonly request: Requester;
  readonly words: IdleWords;
  readonly trans: TranslationBundle;
  readonly palette: ICommandPalette | null;
  readonly restorer: ILayoutRestorer | null;
  readonly now: () => Date;
}

/** Add the page, and what can be done about a deletion, where there is a policy. */
export function addCommands(options: IOptions): void {
  const { app, model, now, palette, request, restorer, trans, words } = options;
  const { commands, shell } = app;
  const hub = controlPanel();
  const stopper = new Stopper({ app, request, trans, controlPanel: hub });
  const tracker = new WidgetTracker<MainAreaWidget>({ namespace: PAGE_ID });
  let tab: MainAreaWidget | null = null;
  const run = (command: string): (() => void) => {
    return () => {
      commands.execute(command).catch((error: unknown) => {
        console.warn(`jupyter-einfra: ${command} cannot be done.`, error);
      });
    };
  };

  const makeTab = ({ makePage }: typeof Page): MainAreaWidget => {
    const made = makePage({
      model,
      request,
      acts: () => ({
        saveAll: commands.hasCommand(SAVE_ALL) ? run(SAVE_ALL) : null,
        stop: stopper.grant?.may_stop === true ? run(CommandIDs.stop) : null,
        ask: commands.isEnabled(CommandIDs.ask) ? run(CommandIDs.ask) : null,
        controlPanel: hub
      }),
      onShow: () => void stopper.look(),
      words,
      trans,
      now
    });
    stopper.changed.connect(made.content.update, made.content);
    model.statusChanged.connect(made.content.update, made.content);
    made.disposed.connect(() => {
      tab = null;
    });
    return made;
  };

  const noArguments = { args: { type: 'object', properties: {} } } as const;
  const offered = (isOffered: () => boolean): object => ({
    describedBy: noArguments,
    isEnabled: isOffered,
    isVisible: isOffered
  });
  commands.addCommand(CommandIDs.open, {
    label: trans.__('Will My Server Be Kept?'),
    ...offered(() => model.hasPolicy),
    execute: async () => {
      const page = await late(import('./page'), trans);
      if (!page || model.isAbsent) {
        return;
      }
      if (!tab) {
        tab = makeTab(page);
        shell.add(tab, 'main');
        await tracker.add(tab);
      }
      shell.activateById(PAGE_ID);
    }
  });
  commands.addCommand(CommandIDs.stop, {
    label: trans.__('Stop My Server…'),
    ...offered(() => model.hasPolicy && stopper.mayWork),
    execute: () => stopper.stop()
  });
  commands.addCommand(CommandIDs.ask, {
    label: trans.__('Ask for More Time…'),
    ...offered(() => model.hasPolicy && model.status?.extension !== null),
    execute: async () => {
      const extension = model.status?.extension;
      if (extension) {
        const time = await late(import('./time'), trans);
        await time?.askForTime({ extension, request, trans, words, now });
      }
    }
  });
  for (const command of Object.values(CommandIDs)) {
    palette?.addItem({ command, category: trans.__('Server') });
  }
  void restorer?.restore(tracker, { command: CommandIDs.open, name: () => PAGE_ID });

  whenChanged(
    () => model.isAbsent,
    () => {
      if (model.isAbsent) {
        tab?.dispose();
      }
    },
    model.stateChanged,
    model.statusChanged
  );
  // Only when it matters, and by name: at each notice Lab draws its toolbars anew.
  const names = Object.values(CommandIDs);
  whenChanged(
    () => names.map(name => commands.isEnabled(name)).join(),
    () => {
      for (const name of names) {
        commands.notifyCommandChanged(name);
      }
    },
    model.stateChanged,
    model.statusChanged,
    stopper.changed
  );
}
