import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { ILauncher } from '@jupyterlab/launcher';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';

import { agreed } from '../api/ask';
import { whenChanged } from '../api/changes';
import { networkError } from '../api/errors';
import { tellFailure } from '../api/failure';
import { describe } from '../api/messages';
import type { Requester } from '../api/request';
import { activityIcon } from './icons';
import { CommandIDs } from './ids';
import type { ActivityModel, Status } from './model';

export interface ICommandOptions {
  readonly app: JupyterFrontEnd;
  readonly model: ActivityModel;
  readonly request: Requester;
  readonly trans: TranslationBundle;
  readonly palette: ICommandPalette | null;
}

interface IOptions extends ICommandOptions {
  readonly launcher: ILauncher | null;

  /** Opens the overlay. */
  readonly open: () => Promise<void>;
}

/** Add the commands, for as long as the server offers what they are for. */
export function addCommands(options: IOptions): void {
  const { app, launcher, model, open, palette, trans } = options;
  const { commands } = app;
  const described = { args: { type: 'object', properties: {} } } as const;
  const whileOffered = {
    describedBy: described,
    isEnabled: () => model.isOffered,
    isVisible: () => model.isOffered
  };
  commands.addCommand(CommandIDs.open, {
    label: trans.__('While You Were Away…'),
    caption: trans.__('What finished, failed or died, and what still runs'),
    icon: activityIcon,
    ...whileOffered,
    execute: open
  });
  commands.addCommand(CommandIDs.record, {
    label: trans.__('Record What Happens on This Server'),
    ...whileOffered,
    isToggled: () => model.status?.recording ?? false,
    execute: () => {
      const body = JSON.stringify({ recording: !model.status?.recording });
      return tryTo(options, 'activity/recording', { method: 'PUT', body });
    }
  });
  commands.addCommand(CommandIDs.erase, {
    label: trans.__('Erase Recorded Activity…'),
    ...whileOffered,
    execute: async () => {
      const isMeant = await agreed(
        trans.__('Erase what was recorded?'),
        trans.__(
          'What ran, failed and died on this server is forgotten. Notebooks and other files stay.'
        ),
        trans.__('Erase'),
        trans
      );
      if (isMeant) {
        await tryTo(options, 'activity', { method: 'DELETE' });
      }
    }
  });
  for (const command of [CommandIDs.open, CommandIDs.record, CommandIDs.erase]) {
    palette?.addItem({ command, category: trans.__('Server') });
  }

  let tile: IDisposable | null = null;
  model.changed.connect(() => {
    if (model.isOffered) {
      tile ??= launcher?.add({ command: CommandIDs.open, category: 'Other' }) ?? null;
    } else {
      tile?.dispose();
      tile = null;
    }
  });
  // Only when it matters, and by name: at each notice Lab draws its toolbars anew.
  whenChanged(
    () => JSON.stringify([model.isOffered, model.status?.recording, model.status?.awaited]),
    () => {
      for (const command of Object.values(CommandIDs)) {
        commands.notifyCommandChanged(command);
      }
    },
    model.changed
  );
}

/** Ask for a change, take the answer, and say so if it came to nothing. */
export async function tryTo(
  { model, request, trans }: ICommandOptions,
  path: string,
  init: RequestInit
): Promise<void> {
  try {
    model.status = (await (await request(path, init)).json()) as Status;
  } catch (error) {
    await tellFailure(describe(networkError(error), trans), trans);
  }
}
