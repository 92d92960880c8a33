import type { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { Notice } from './model';
import { kindOf } from './settings';

/** Commands of others, which may not be there. */
const SAVE_ALL = 'docmanager:save-all';
const TELL_WHY = 'einfra-idle:open';
const ASK_FOR_TIME = 'einfra-idle:ask';
const STOP_SERVER = 'einfra-idle:stop';

/** What can be done before a server is deleted for want of use. */
export function keepingActions(
  { code }: Notice,
  commands: CommandRegistry,
  trans: TranslationBundle
): Notification.IAction[] {
  if (kindOf(code) !== 'showIdle') {
    return [];
  }
  const action = (
    command: string,
    label: string,
    caption: string,
    displayType: Notification.ActionDisplayType = 'default'
  ): Notification.IAction[] => [
    {
      label,
      caption,
      displayType,
      callback: () => {
        commands.execute(command).catch((error: unknown) => {
          console.warn(`jupyter-einfra: ${command} cannot be done.`, error);
        });
      }
    }
  ];
  return [
    ...(commands.hasCommand(SAVE_ALL)
      ? action(
          SAVE_ALL,
          trans.__('Save All'),
          trans.__('Save all that is open here'),
          'accent'
        )
      : []),
    ...(commands.hasCommand(TELL_WHY)
      ? action(
          TELL_WHY,
          trans.__('Why?'),
          trans.__('Show what was counted, and what counts as use')
        )
      : []),
    ...(commands.hasCommand(ASK_FOR_TIME) && commands.isEnabled(ASK_FOR_TIME)
      ? action(
          ASK_FOR_TIME,
          trans.__('Ask for More Time…'),
          trans.__('Ask the operator to keep this server for longer')
        )
      : []),
    ...(commands.hasCommand(STOP_SERVER) && commands.isEnabled(STOP_SERVER)
      ? action(
          STOP_SERVER,
          trans.__('Stop My Server…'),
          trans.__('Stop it now, so that others can use what it holds')
        )
      : [])
  ];
}
