import type { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { keepingActs } from '../api/keeping';
import type { Notice } from './model';
import { kindOf } from './settings';

/** What can be done before a server is deleted for want of use. */
export function keepingActions(
  { code }: Notice,
  commands: CommandRegistry,
  trans: TranslationBundle
): Notification.IAction[] {
  if (kindOf(code) !== 'showIdle') {
    return [];
  }
  return keepingActs(commands, trans).map(({ command, label, caption, inPlace }) => ({
    label,
    caption,
    displayType: inPlace ? 'accent' : 'default',
    callback: () => {
      commands.execute(command).catch((error: unknown) => {
        console.warn(`jupyter-einfra: ${command} cannot be done.`, error);
      });
    }
  }));
}
