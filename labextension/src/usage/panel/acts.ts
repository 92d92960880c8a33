import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import { KernelAPI } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import { agreed } from '../../api/ask';
import { tellFailure } from '../../api/failure';
import type { components } from '../../api/schema';
import { calm } from './names';

/** What the acts need to know of a program. */
export type Target = Pick<
  components['schemas']['Program'],
  'kind' | 'id' | 'name' | 'path'
>;

/** One thing that can be done with a program. */
export interface IAct {
  readonly label: string;
  readonly execute: () => Promise<void>;

  /** Whether the user goes elsewhere with it. */
  readonly leaves?: true;
}

/** What a person can do with a kernel, a terminal or an application. */
export class Acts {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _trans: TranslationBundle
  ) {}

  /** All that can be done; nothing for the server itself and for what others run. */
  of(target: Target): IAct[] {
    const trans = this._trans;
    switch (target.kind) {
      case 'kernel':
        return [
          ...(target.path === null ? [] : [this._opening(target)]),
          { label: trans.__('Interrupt'), execute: () => this.interrupt(target.id) },
          { label: trans.__('Restart…'), execute: () => this.restart(target) },
          { label: trans.__('Shut Down…'), execute: () => this.shutDown(target) }
        ];
      case 'terminal':
        return [
          this._opening(target),
          { label: trans.__('Shut Down…'), execute: () => this.shutDown(target) }
        ];
      case 'app':
        return [
          this._opening(target),
          this._ofApp(trans.__('Show Log'), 'log', target, { leaves: true }),
          this._ofApp(trans.__('Restart'), 'restart', target),
          this._ofApp(trans.__('Stop'), 'stop', target)
        ];
      default:
        return [];
    }
  }

  /** Open the notebook of a kernel, a terminal or an application. */
  async open({ kind, id, path }: Target): Promise<void> {
    const { commands } = this._app;
    await this._try(() => {
      switch (kind) {
        case 'terminal':
          return commands.execute('terminal:open', { name: id });
        case 'app':
          return commands.execute('einfra-apps:show', { id });
        default:
          return commands.execute('docmanager:open', { path });
      }
    });
  }

  /** Stop what a kernel runs now; its variables stay. */
  async interrupt(id: string): Promise<void> {
    const { serverSettings } = this._app.serviceManager;
    const kernel = this._context(id)?.session?.kernel;
    await this._try(
      () => kernel?.interrupt() ?? KernelAPI.interruptKernel(id, serverSettings)
    );
  }

  /** Begin a kernel anew, once the user has agreed. */
  async restart({ id, name }: Target): Promise<void> {
    const trans = this._trans;
    const isMeant = await agreed(
      trans.__('Restart the kernel of %1?', calm(name)),
      trans.__('All its variables are lost. The notebook and its outputs stay.'),
      trans.__('Restart'),
      trans
    );
    if (!isMeant) {
      return;
    }
    const { serverSettings } = this._app.serviceManager;
    // An open notebook must learn that its queue is gone, and when the kernel is back.
    const context = this._context(id);
    await this._try(
      () => context?.restartKernel() ?? KernelAPI.restartKernel(id, serverSettings)
    );
  }

  /** End a kernel or a terminal, once the user has agreed. */
  async shutDown({ kind, id, name }: Target): Promise<void> {
    const trans = this._trans;
    const { kernels, terminals } = this._app.serviceManager;
    const isKernel = kind === 'kernel';
    const isMeant = await agreed(
      isKernel
        ? trans.__('Shut down the kernel of %1?', calm(name))
        : trans.__('Shut down %1?', calm(name)),
      isKernel
        ? trans.__('All its variables are lost. The notebook and its outputs stay.')
        : trans.__('What runs in it is ended.'),
      trans.__('Shut Down'),
      trans
    );
    if (isMeant) {
      await this._try(() => (isKernel ? kernels : terminals).shutdown(id));
    }
  }

  private _opening(target: Target): IAct {
    return {
      label: this._trans.__('Open'),
      execute: () => this.open(target),
      leaves: true
    };
  }

  /** What the applications feature can do, by a command of its. */
  private _ofApp(
    label: string,
    act: string,
    { id }: Target,
    more: Pick<IAct, 'leaves'> = {}
  ): IAct {
    const execute = (): Promise<void> =>
      this._try(() => this._app.commands.execute(`einfra-apps:${act}`, { id }));
    return { label, execute, ...more };
  }

  private async _try(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      await tellFailure(error instanceof Error ? error : String(error), this._trans);
    }
  }

  /** The open document or console that works with a kernel, if there is one. */
  private _context(kernelId: string): ISessionContext | null {
    for (const widget of this._app.shell.widgets('main')) {
      const { sessionContext } = widget as Widget & { sessionContext?: ISessionContext };
      if (sessionContext?.session?.kernel?.id === kernelId) {
        return sessionContext;
      }
    }
    return null;
  }
}
