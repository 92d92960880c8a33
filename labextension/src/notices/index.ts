import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { describe } from '../api/messages';
import { followSettings, type Keep } from '../api/settings';
import { IEinfraStream, type ISubscription } from '../tokens';
import { Actions } from './actions';
import { Banners } from './banners';
import { isTold, wanted, type ITold, type Notice } from './model';
import { Remembered } from '../api/remembered';
import { DEFAULT_SETTINGS, type INoticesSettings, type Kind } from './settings';
import { exclusively, inOneTab, localStore } from '../api/tabs';
import { askToNotify, notifyOutside } from './browser';
import { Outside } from './outside';
import { Toaster } from './toaster';

const ID = '@e-infra/jupyter-einfra:notices';

/** Has the browser tell what cannot be seen because no page is looked at; or not any more. */
const BROWSER_NOTIFICATIONS = 'einfra-notices:browser-notifications';

/** Has what the activity overlay tells, too, stay in Lab's list. */
const TOLD = 'einfra-notices:told';

/** For so long after Lab's start, what tells better than a notification may come first. */
const START_MS = 1000;

/** Tells what is about to go wrong, and why something did. */
export const noticesPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Tells of dangers in time, and on a notebook why its kernel died.',
  autoStart: true,
  requires: [IEinfraStream],
  optional: [ISettingRegistry, ITranslator, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    stream: IEinfraStream,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_einfra');
    // Servers of one hub share the browser's storage.
    const key = `jupyter-einfra:notices:${app.serviceManager.serverSettings.baseUrl}`;
    const dismissed = new Remembered(localStore(), `${key}:dismissed`);
    let settings: INoticesSettings = { ...DEFAULT_SETTINGS, show: false };
    let keep: Keep<INoticesSettings> | null = null;
    let notices: readonly Notice[] = [];
    let told: ITold = { deaths: [], runs: [], until: '' };
    const idsOfTold = (): string[] =>
      notices.filter(notice => isTold(notice, told)).map(({ id }) => id);
    const silence = (kind: Kind): void => {
      keep?.(kind, kind === 'runMinutes' ? 0 : false).catch((error: unknown) => {
        console.warn('jupyter-einfra: the setting cannot be kept.', error);
      });
    };
    const setBrowser = async (browserNotifications: boolean): Promise<void> => {
      if (keep) {
        await keep('browserNotifications', browserNotifications);
      } else {
        settings = { ...settings, browserNotifications };
        follow();
      }
    };

    const actions = new Actions({ app, trans, silence });
    const banners = new Banners({
      app,
      trans,
      dismissed,
      notices: () => wanted(notices, settings),
      openUsage: () => actions.openUsage
    });
    const toaster = new Toaster({
      manager: Notification.manager,
      actionsOf: notice => actions.of(notice),
      seen: new Remembered(localStore(), key),
      isOnScreen: toast => document.getElementById(toast) !== null,
      exclusively: exclusively(key)
    });
    const outside = new Outside({
      seen: new Remembered(localStore(), key),
      told: new Remembered(localStore(), `${key}:outside`),
      allow: askToNotify,
      keep: () => stream.keepWhileHidden('notices'),
      turn: begin => inOneTab(`${key}:outside`, begin),
      show: (id, text) => {
        notifyOutside(id, 'JupyterLab', text);
      }
    });
    let isStarted = false;
    const update = (): void => {
      const said = wanted(notices, settings).map(notice => ({
        notice,
        text: describe(notice, trans)
      }));
      banners.update();
      if (document.hidden) {
        // What is shown here now would count as seen.
        outside.follow(said);
      } else if (isStarted) {
        outside.stop();
        toaster.follow(said, new Set([...banners.visible, ...idsOfTold()]));
      }
    };
    document.addEventListener('visibilitychange', update);
    void app.restored.then(() => {
      setTimeout(() => {
        isStarted = true;
        update();
      }, START_MS);
    });

    let subscription: ISubscription<'notices'> | null = null;
    const follow = (): void => {
      outside.isWanted = settings.show && settings.browserNotifications;
      if (settings.show && !subscription) {
        subscription = stream.subscribe('notices');
        subscription.message.connect((_, message) => {
          ({ notices } = message);
          update();
        });
      } else if (!settings.show) {
        subscription?.dispose();
        subscription = null;
        notices = [];
      }
      update();
    };

    app.commands.addCommand(BROWSER_NOTIFICATIONS, {
      label: trans.__('Browser Notifications'),
      describedBy: { args: { type: 'object', properties: {} } },
      isToggled: () => settings.browserNotifications,
      execute: () => {
        const wanted = !settings.browserNotifications;
        if (wanted) {
          // Some browsers let a page ask only while something is being clicked.
          askToNotify();
        }
        return setBrowser(wanted);
      }
    });
    const ids = { type: 'array', items: { type: 'string' } } as const;
    const until = { type: 'string', format: 'date-time' } as const;
    app.commands.addCommand(TOLD, {
      describedBy: {
        args: {
          type: 'object',
          properties: { deaths: ids, runs: ids, until },
          required: ['deaths', 'runs', 'until']
        }
      },
      execute: args => {
        told = args as unknown as ITold;
        update();
        toaster.file(idsOfTold());
      }
    });
    palette?.addItem({
      command: BROWSER_NOTIFICATIONS,
      category: trans.__('Server')
    });

    window.addEventListener('storage', event => {
      // Another tab has dismissed one.
      if (event.key === dismissed.key) {
        banners.update();
      }
    });

    followSettings(registry, ID, DEFAULT_SETTINGS, (now, kept) => {
      settings = now;
      keep = kept;
      follow();
      app.commands.notifyCommandChanged(BROWSER_NOTIFICATIONS);
    });
  }
};
