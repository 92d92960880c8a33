import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { KernelAPI } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { shorten, tidy } from '../api/blanks';
import { describe } from '../api/messages';
import { networkError } from '../api/errors';
import { request } from '../api/request';
import { keepingActions } from './keeping';
import { isAwaited, isDone, isKernelDeath, type Notice } from './model';
import { kindOf, type Kind } from './settings';

/** Commands of others, which may not be there. */
const OPEN_USAGE = 'einfra-usage:open-panel';
const OPEN_DOCUMENT = 'docmanager:open';
const SHOW_LOG = 'einfra-apps:log';
const TRY_AGAIN = 'einfra-apps:restart';

/** Whoever does not read these loses something. */
const NEVER_SILENCED = new Set(['app_idle', 'idle_day', 'idle_hour']);

/** Longest name on a button. */
const LONGEST_LABEL = 24;

/** What can be done about a notice. */
export class Actions {
  constructor(private readonly _options: Actions.IOptions) {}

  /** The buttons of its notification. */
  of(notice: Notice): Notification.IAction[] {
    return [
      ...this._interrupt(notice),
      ...this._openNotebook(notice),
      ...this._tryAgain(notice),
      ...this._showLog(notice),
      ...this._keep(notice),
      ...keepingActions(notice, this._options.app.commands, this._options.trans),
      ...this._openUsage(notice),
      ...this._silence(notice)
    ];
  }

  /** Open the panel with the figures; null where there is none. */
  get openUsage(): (() => void) | null {
    const { commands } = this._options.app;
    return commands.hasCommand(OPEN_USAGE)
      ? () => {
          void commands.execute(OPEN_USAGE);
        }
      : null;
  }

  private _interrupt(notice: Notice): Notification.IAction[] {
    const { trans } = this._options;
    const { kernel_id: kernelId } = notice;
    if (kernelId === null || isKernelDeath(notice) || isDone(notice)) {
      return [];
    }
    const name = nameOf(notice);
    return [
      {
        label: trans.__('Interrupt %1', shorten(name, LONGEST_LABEL)),
        caption: trans.__('Interrupt the kernel of %1; its variables stay', name),
        displayType: 'accent',
        callback: () => void this._sendInterrupt(kernelId, name)
      }
    ];
  }

  private async _sendInterrupt(kernelId: string, name: string): Promise<void> {
    const { app, trans } = this._options;
    try {
      await KernelAPI.interruptKernel(kernelId, app.serviceManager.serverSettings);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const text = trans.__('%1 could not be interrupted: %2', name, why);
      Notification.error(text, { autoClose: false });
    }
  }

  private _openNotebook(notice: Notice): Notification.IAction[] {
    const { app, trans } = this._options;
    const { path } = notice;
    if (
      path === null ||
      !(isKernelDeath(notice) || isDone(notice)) ||
      !app.commands.hasCommand(OPEN_DOCUMENT)
    ) {
      return [];
    }
    return [
      {
        label: trans.__('Open Notebook'),
        caption: trans.__('Open %1', tidy(path)),
        displayType: 'accent',
        callback: () => {
          app.commands.execute(OPEN_DOCUMENT, { path }).catch((error: unknown) => {
            console.warn('jupyter-einfra: the notebook cannot be opened.', error);
          });
        }
      }
    ];
  }

  private _tryAgain(notice: Notice): Notification.IAction[] {
    const { trans } = this._options;
    return notice.code === 'app_failed' // else it is being started again already
      ? this._ofApplication(notice, TRY_AGAIN, trans.__('Try Again'), name =>
          trans.__('Start %1 again', name)
        )
      : [];
  }

  private _showLog(notice: Notice): Notification.IAction[] {
    const { trans } = this._options;
    return this._ofApplication(notice, SHOW_LOG, trans.__('Show Log'), name =>
      trans.__('Show what %1 printed', name)
    );
  }

  /** A button that does something to the application that a notice is about. */
  private _ofApplication(
    { id, params }: Notice,
    command: string,
    label: string,
    caption: (name: string) => string
  ): Notification.IAction[] {
    const { commands } = this._options.app;
    const [kind, ident] = [id.slice(0, 4), id.slice(4)];
    if (kind !== 'app:' || !commands.hasCommand(command)) {
      return [];
    }
    return [
      {
        label,
        caption: caption(tidy(String(params['name'] ?? ident))),
        displayType: 'accent',
        callback: () => {
          commands.execute(command, { id: ident }).catch((error: unknown) => {
            console.warn(`jupyter-einfra: ${command} cannot be done.`, error);
          });
        }
      }
    ];
  }

  private _keep({ code, id, params }: Notice): Notification.IAction[] {
    const { trans } = this._options;
    if (code !== 'app_idle') {
      return [];
    }
    const ident = id.slice(id.indexOf(':') + 1);
    const name = tidy(String(params['name'] ?? ident));
    return [
      {
        label: trans.__('Keep Running'),
        caption: trans.__('Count %1 as used now', name),
        displayType: 'accent',
        callback: () => void this._sendUse(ident, name)
      }
    ];
  }

  private async _sendUse(id: string, name: string): Promise<void> {
    const { app, trans } = this._options;
    const init = { method: 'POST', body: JSON.stringify({ id }) };
    try {
      await request('apps/used', init, app.serviceManager.serverSettings);
    } catch (error) {
      const why = describe(networkError(error), trans);
      const text = trans.__('%1 could not be kept running: %2', name, why);
      Notification.error(text, { autoClose: false });
    }
  }

  private _openUsage(notice: Notice): Notification.IAction[] {
    const { openUsage } = this;
    const label = this._options.trans.__('Show Usage Panel');
    // A deletion has a page of its own, and what is done has its notebook.
    return openUsage && kindOf(notice.code) !== 'showIdle' && !isDone(notice)
      ? [{ label, callback: openUsage }]
      : [];
  }

  private _silence(notice: Notice): Notification.IAction[] {
    const { silence, trans } = this._options;
    const { code } = notice;
    const kind = NEVER_SILENCED.has(code) || isAwaited(notice) ? null : kindOf(code);
    if (kind === null || silence === null) {
      return [];
    }
    return [
      {
        label: trans.__('Do Not Show Again'),
        caption: trans.__('Switch off all notices of this kind; the settings have them'),
        displayType: 'link',
        callback: () => {
          silence(kind);
        }
      }
    ];
  }
}

export namespace Actions {
  export interface IOptions {
    readonly app: JupyterFrontEnd;
    readonly trans: TranslationBundle;

    /** Switch a kind off for good; null where settings cannot be kept. */
    readonly silence: ((kind: Kind) => void) | null;
  }
}

/** What people call the kernel. */
function nameOf({ params, path, kernel_id: id }: Notice): string {
  return tidy(String(params['name'] ?? (path === null ? id : PathExt.basename(path))));
}
