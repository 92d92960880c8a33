import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

/** One thing that can be done before a server is deleted for want of use. */
export interface IKeepingAct {
  readonly command: string;
  readonly label: string;
  readonly caption: string;

  /** Whether nothing else comes up with it. */
  readonly inPlace?: true;
}

/** All of them that are there, the most pressing first: commands of others. */
export function keepingActs(
  commands: Pick<CommandRegistry, 'hasCommand' | 'isEnabled'>,
  trans: TranslationBundle
): IKeepingAct[] {
  const save: IKeepingAct = {
    command: 'docmanager:save-all',
    label: trans.__('Save All'),
    caption: trans.__('Save all that is open here'),
    inPlace: true
  };
  const why: IKeepingAct = {
    command: 'einfra-idle:open',
    label: trans.__('Why?'),
    caption: trans.__('Show what was counted, and what counts as use')
  };
  const ask: IKeepingAct = {
    command: 'einfra-idle:ask',
    label: trans.__('Ask for More Time…'),
    caption: trans.__('Ask the operator to keep this server for longer')
  };
  const stop: IKeepingAct = {
    command: 'einfra-idle:stop',
    label: trans.__('Stop My Server…'),
    caption: trans.__('Stop it now, so that others can use what it holds')
  };
  return [
    ...[save, why].filter(({ command }) => commands.hasCommand(command)),
    ...[ask, stop].filter(
      ({ command }) => commands.hasCommand(command) && commands.isEnabled(command)
    )
  ];
}
