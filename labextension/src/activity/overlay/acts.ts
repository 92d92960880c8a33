import type { JupyterFrontEnd } from '@jupyterlab/application';
import { KernelAPI } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { LONGEST_NAME, shorten } from '../../api/blanks';
import { keepingActs } from '../../api/keeping';
import { nameOf, type Fact } from '../facts';
import { openAt } from './cell';

/** Commands of others, which may not be there. */
const OPEN_USAGE = 'einfra-usage:open-panel';
const SHOW_LOG = 'einfra-apps:log';

/** Facts whose time is worth a look at the figures. */
const OF_USAGE = /^(kernel|memory|previous_run)_/;

/** One thing that can be done about a fact. */
export interface IAct {
  readonly label: string;

  /** Names what it is done with. */
  readonly caption: string;

  /** What the button says when it is done; null where the overlay makes room for it. */
  readonly done: string | null;

  readonly execute: () => Promise<unknown>;
}

/** What can be done from the overlay. */
export class Acts {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _trans: TranslationBundle
  ) {}

  /** All that can be done about a fact. */
  of(fact: Fact): IAct[] {
    return [
      ...this._open(fact),
      ...this._restart(fact),
      ...this._showLog(fact),
      ...this._keep(fact),
      ...(OF_USAGE.test(fact.code) ? this.showUsage(fact.time) : [])
    ];
  }

  /** Go on where the user was; nothing where that is gone. */
  continueIn(fact: Fact): IAct[] {
    const name = shorten(nameOf(fact) ?? '', LONGEST_NAME);
    return this._open(fact).map(act => ({
      ...act,
      label: this._trans.__('Continue in %1', name)
    }));
  }

  /** The figures of a moment. */
  showUsage(at: string | null): IAct[] {
    const { commands } = this._app;
    const trans = this._trans;
    if (!commands.hasCommand(OPEN_USAGE) || !commands.isEnabled(OPEN_USAGE)) {
      return [];
    }
    return [
      {
        label: trans.__('Show Usage'),
        caption: trans.__('Show what the server used then'),
        done: null,
        execute: () => commands.execute(OPEN_USAGE, at === null ? {} : { at })
      }
    ];
  }

  private _open(fact: Fact): IAct[] {
    const trans = this._trans;
    const { cell_id: cell, execution_count: count, path } = fact;
    if (path === null || !this._app.commands.hasCommand('docmanager:open')) {
      return [];
    }
    const name = nameOf(fact) ?? '';
    const isAtCell = cell !== null && count !== null;
    return [
      {
        label: isAtCell ? trans.__('Open at Cell [%1]', count) : trans.__('Open'),
        caption: isAtCell
          ? trans.__('Open %1 at cell [%2]', name, count)
          : trans.__('Open %1', name),
        done: null,
        execute: () => openAt(this._app, fact, name, trans)
      }
    ];
  }

  private _restart({ can_restart: can, kernel_id: id, ...fact }: Fact): IAct[] {
    const trans = this._trans;
    if (!can || id === null) {
      return [];
    }
    const { serverSettings } = this._app.serviceManager;
    return [
      {
        label: trans.__('Restart Kernel'),
        caption: trans.__('Restart the kernel of %1', nameOf(fact) ?? id),
        done: trans.__('Restarted'),
        execute: async () => {
          try {
            await KernelAPI.restartKernel(id, serverSettings);
          } catch (error) {
            const why = error instanceof Error ? error.message : String(error);
            const text = trans.__('The kernel could not be restarted: %1', why);
            throw new Error(text, { cause: error });
          }
        }
      }
    ];
  }

  private _showLog({ id, sources, ...fact }: Fact): IAct[] {
    const { commands } = this._app;
    const app = [id, ...sources].find(source => source.startsWith('app:'))?.slice(4);
    if (app === undefined || !commands.hasCommand(SHOW_LOG)) {
      return [];
    }
    return [
      {
        label: this._trans.__('Show Log'),
        caption: this._trans.__('Show what %1 printed', nameOf(fact) ?? app),
        done: null,
        execute: () => commands.execute(SHOW_LOG, { id: app })
      }
    ];
  }

  private _keep({ code }: Fact): IAct[] {
    const { commands } = this._app;
    if (!code.startsWith('idle_')) {
      return [];
    }
    return keepingActs(commands, this._trans)
      .filter(({ command }) => commands.isEnabled(command))
      .map(({ command, inPlace, ...words }) => ({
        ...words,
        done: inPlace ? this._trans.__('Saved') : null,
        execute: () => commands.execute(command)
      }));
  }
}
