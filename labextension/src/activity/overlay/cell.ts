import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import type { Fact } from '../facts';

/** How long a notification stays that nobody has to act on. */
const INFO_MS = 15_000;

/** What a notebook of Lab can do, without depending on it. */
interface INotebookPanel extends Widget {
  readonly context: { readonly ready: Promise<void> };
  readonly revealed: Promise<void>;
  readonly content: {
    readonly widgets: readonly { readonly model: { readonly id: string } }[];
    activeCellIndex: number;
    scrollToCell?(cell: unknown, align: string): Promise<void>;
  };
}

/** Open a file, a notebook at its cell; say so where that cannot be. */
export async function openAt(
  app: JupyterFrontEnd,
  { cell_id: cell, path }: Pick<Fact, 'cell_id' | 'path'>,
  name: string,
  trans: TranslationBundle
): Promise<void> {
  try {
    const isNotebook = path?.endsWith('.ipynb') ?? false;
    const panel: unknown = await app.commands.execute('docmanager:open', {
      path,
      ...(isNotebook && { factory: 'Notebook' })
    });
    if (isNotebook && cell !== null && !(await showCell(panel as INotebookPanel, cell))) {
      const text = trans.__('That cell is not in %1 any more.', name);
      Notification.info(text, { autoClose: INFO_MS });
    }
  } catch (error) {
    console.warn('jupyter-einfra: the file cannot be opened.', error);
    Notification.error(trans.__('%1 cannot be opened.', name), { autoClose: false });
  }
}

async function showCell(panel: INotebookPanel, id: string): Promise<boolean> {
  await panel.context.ready;
  await panel.revealed;
  const { content } = panel;
  const index = content.widgets.findIndex(({ model }) => model.id === id);
  if (index < 0) {
    return false;
  }
  content.activeCellIndex = index;
  await content.scrollToCell?.(content.widgets[index], 'center');
  return true;
}
