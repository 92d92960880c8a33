import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { whenChanged } from '../api/changes';
import type { UsageModel } from './model';

/** What the mouse can do with the item, the keyboard can do too. */
export const CommandIDs = {
  /** Show or hide the item. */
  toggle: 'einfra-usage:toggle',
  /** Open the exact figures. */
  show: 'einfra-usage:show'
} as const;

interface IOptions {
  readonly app: JupyterFrontEnd;
  readonly model: UsageModel;
  readonly trans: TranslationBundle;
  readonly palette: ICommandPalette | null;
  readonly setShown: (shown: boolean) => Promise<void>;
  readonly openPopup: () => void;
}

/** Add the commands, and the palette's entries where there is a palette. */
export function addCommands(options: IOptions): void {
  const { model, palette, trans } = options;
  const { commands } = options.app;
  const noArguments = { args: { type: 'object', properties: {} } } as const;
  commands.addCommand(CommandIDs.toggle, {
    label: trans.__('Show Usage in the Status Bar'),
    describedBy: noArguments,
    isToggled: () => model.settings.show,
    execute: () => options.setShown(!model.settings.show)
  });
  commands.addCommand(CommandIDs.show, {
    label: trans.__('Show Usage Figures'),
    describedBy: noArguments,
    isEnabled: () => model.view.kind !== 'hidden',
    execute: () => {
      options.openPopup();
    }
  });
  // Only when it matters, and by name: at each notice Lab draws its toolbars anew.
  whenChanged(
    () => model.view.kind !== 'hidden',
    () => {
      commands.notifyCommandChanged(CommandIDs.show);
    },
    model.stateChanged
  );
  whenChanged(
    () => model.settings.show,
    () => {
      commands.notifyCommandChanged(CommandIDs.toggle);
    },
    model.stateChanged
  );
  for (const command of Object.values(CommandIDs)) {
    palette?.addItem({ command, category: trans.__('Usage') });
  }
}
