import { type IToolbarWidgetRegistry, Notification } from '@jupyterlab/apputils';
import { CommandToolbarButton } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';

import { localStore } from '../api/tabs';
import { tryTo, type ICommandOptions } from './commands';
import { bellIcon } from './icons';
import { CommandIDs } from './ids';

/** A command of the notices, which may not be there. */
const BROWSER_NOTIFICATIONS = 'einfra-notices:browser-notifications';

/** Where the browser remembers that it was told how to be told outside of the page. */
const HINTED_KEY = 'jupyter-einfra:activity:hinted';

interface IOptions extends ICommandOptions {
  readonly toolbars: IToolbarWidgetRegistry | null;
}

/** Let the user ask to be told when a notebook is done, in its toolbar and elsewhere. */
export function addAwait(options: IOptions): void {
  const { app, model, palette, toolbars, trans } = options;
  const { commands, shell } = app;
  // Lab gives them ids only later.
  const panels = new Map<number, Widget>();
  let count = 0;

  /** The notebook of a toolbar, or the one that is worked on. */
  const pathOf = ({ panel }: ReadonlyPartialJSONObject): string | null => {
    const widget = panel === undefined ? shell.currentWidget : panels.get(Number(panel));
    // By its class: Lab without notebooks has none.
    return widget?.hasClass('jp-NotebookPanel')
      ? ((widget as Widget & { context?: { path: string } }).context?.path ?? null)
      : null;
  };
  const isAwaited = (path: string | null): boolean =>
    path !== null && (model.status?.awaited.includes(path) ?? false);

  commands.addCommand(CommandIDs.await, {
    label: ({ toolbar }) => (toolbar ? '' : trans.__('Tell Me When This Is Done')),
    caption: trans.__('Tell me when this is done: when nothing in this notebook runs'),
    icon: ({ toolbar }) => (toolbar ? bellIcon : undefined),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          panel: {
            type: 'number',
            description: trans.__('Which toolbar; that of the present notebook if left out')
          }
        }
      }
    },
    isEnabled: args => model.isOffered && pathOf(args) !== null,
    isVisible: () => model.isOffered,
    isToggled: args => isAwaited(pathOf(args)),
    execute: async args => {
      const path = pathOf(args);
      if (path === null) {
        return;
      }
      const wanted = !isAwaited(path);
      const body = JSON.stringify({ path, wanted });
      await tryTo(options, 'activity/awaited', { method: 'PUT', body });
      if (wanted && isAwaited(path)) {
        hint(options);
      }
    }
  });
  palette?.addItem({ command: CommandIDs.await, category: trans.__('Server') });
  toolbars?.addFactory('Notebook', 'einfra-await', notebook => {
    const panel = ++count;
    panels.set(panel, notebook);
    notebook.disposed.connect(() => panels.delete(panel));
    const args = { panel, toolbar: true };
    return new CommandToolbarButton({ commands, id: CommandIDs.await, args });
  });
}

/** Say once that it can be told outside of the page, too. */
function hint({ app: { commands }, trans }: IOptions): void {
  const store = localStore();
  if (
    !commands.hasCommand(BROWSER_NOTIFICATIONS) ||
    commands.isToggled(BROWSER_NOTIFICATIONS) ||
    store?.getItem(HINTED_KEY)
  ) {
    return;
  }
  try {
    store?.setItem(HINTED_KEY, '1');
  } catch {
    // Full, or not allowed.
  }
  Notification.info(trans.__('You will be told here. Also outside of this page?'), {
    autoClose: false,
    actions: [
      {
        label: trans.__('Let the Browser Tell Me'),
        displayType: 'accent',
        callback: () => void commands.execute(BROWSER_NOTIFICATIONS)
      }
    ]
  });
}
