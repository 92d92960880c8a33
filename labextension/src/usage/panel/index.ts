import type { ILayoutRestorer } from '@jupyterlab/application';
import { type ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';

import { usageIcon } from './icon';
import { Offer } from '../../api/offer';
import { PanelShell, type IPanelOptions } from './shell';

export const PanelCommandIDs = {
  /** Show the panel at the side. */
  open: 'einfra-usage:open-panel',
  /** Open the same as a tab. */
  openTab: 'einfra-usage:open-tab'
} as const;

const PANEL_ID = 'einfra-usage-panel';
const TAB_ID = 'einfra-usage-tab';

/** Below what Lab itself has at the right. */
const RANK = 300;

interface IOptions extends Omit<IPanelOptions, 'openTab'> {
  readonly palette: ICommandPalette | null;
  readonly restorer: ILayoutRestorer | null;
}

/**
 * Offer the panel at the side and as a tab, for as long as the server has usage on.
 *
 * @returns puts the panel where the settings want it; to be called when they change
 */
export function addPanel(options: IOptions): () => void {
  const { app, palette, restorer, stream, trans } = options;
  const { commands, shell } = app;
  const offer = new Offer(stream, 'usage');
  const openTab = (): void => {
    void commands.execute(PanelCommandIDs.openTab);
  };

  const panel = new PanelShell({ ...options, openTab });
  panel.id = PANEL_ID;
  panel.title.icon = usageIcon;
  panel.title.caption = trans.__('Usage');
  const place = (): void => {
    const wanted = offer.stands && options.settings().showPanel;
    if (wanted && !panel.parent) {
      shell.add(panel, 'right', { rank: RANK, type: 'Usage' });
    } else if (!wanted) {
      panel.parent = null;
    }
  };
  place();
  restorer?.add(panel, PANEL_ID);

  let tab: MainAreaWidget<PanelShell> | null = null;
  const tracker = new WidgetTracker<MainAreaWidget<PanelShell>>({ namespace: TAB_ID });
  const makeTab = (): MainAreaWidget<PanelShell> => {
    const content = new PanelShell({ ...options, openTab: null });
    content.id = `${TAB_ID}-content`;
    const made = new MainAreaWidget({ content });
    made.id = TAB_ID;
    made.title.icon = usageIcon;
    made.title.label = trans.__('Usage');
    made.title.closable = true;
    made.disposed.connect(() => {
      tab = null;
    });
    return made;
  };

  const args = { type: 'object', properties: {} } as const;
  const whileOffered = { isEnabled: () => offer.stands, isVisible: () => offer.stands };
  commands.addCommand(PanelCommandIDs.open, {
    label: trans.__('Show Usage Panel'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          at: {
            type: 'string',
            description: trans.__('A moment to be marked, as in 2026-11-20T12:00:00Z')
          }
        }
      }
    },
    ...whileOffered,
    execute: async ({ at }) => {
      if (panel.parent) {
        shell.activateById(PANEL_ID);
      } else {
        await commands.execute(PanelCommandIDs.openTab);
      }
      const moment = new Date(typeof at === 'string' ? at : NaN);
      if (!Number.isNaN(moment.getTime())) {
        (panel.parent ? panel : tab?.content)?.point(moment);
      }
    }
  });
  commands.addCommand(PanelCommandIDs.openTab, {
    label: trans.__('Open Usage in a Tab'),
    describedBy: { args },
    ...whileOffered,
    execute: async () => {
      if (!tab) {
        tab = makeTab();
        shell.add(tab, 'main');
        await tracker.add(tab);
      }
      shell.activateById(TAB_ID);
    }
  });
  for (const command of Object.values(PanelCommandIDs)) {
    palette?.addItem({ command, category: trans.__('Usage') });
  }
  void restorer?.restore(tracker, {
    command: PanelCommandIDs.openTab,
    name: () => TAB_ID
  });

  offer.changed.connect((_, stands) => {
    place();
    if (!stands) {
      tab?.dispose();
    }
    for (const command of Object.values(PanelCommandIDs)) {
      commands.notifyCommandChanged(command);
    }
  });
  return place;
}
