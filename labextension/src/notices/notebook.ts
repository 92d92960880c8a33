import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';

import { describe } from '../api/messages';
import { bannersOf, isKernelDeath, type Notice } from './model';
import type { Remembered } from '../api/remembered';
import { consequences } from './words';

type WidgetExtension = Parameters<JupyterFrontEnd['docRegistry']['addWidgetExtension']>[1];

/** What Lab knows of an open notebook. */
export type Context = Pick<
  Parameters<WidgetExtension['createNew']>[1],
  'localPath' | 'pathChanged' | 'sessionContext'
>;

/** One explanation on a notebook. */
export interface IBanner {
  readonly id: string;
  readonly severity: Notice['severity'];

  /** What happened. */
  readonly text: string;

  /** What it means, and what to do. */
  readonly consequences: string;

  /** Whether the kernel waits for a restart. */
  readonly canRestart: boolean;

  /** Whether it is being restarted. */
  readonly isRestarting: boolean;
}

/** What one open notebook is to be told. */
export class NotebookNotices {
  constructor(private readonly _options: NotebookNotices.IOptions) {
    const { pathChanged, sessionContext } = _options.context;
    pathChanged.connect(this.update, this);
    sessionContext.kernelChanged.connect(this.update, this);
    sessionContext.sessionChanged.connect(this.update, this);
    sessionContext.statusChanged.connect(this.update, this);
    this.update();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Emits when there is something else to show. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get banners(): readonly IBanner[] {
    return this._banners;
  }

  /** Take the notices, the kernel and what was dismissed as they are now. */
  update(): void {
    const { context, dismissed, notices, trans } = this._options;
    const kernel = context.sessionContext.session?.kernel ?? null;
    const notebook = { path: context.localPath, kernelId: kernel?.id ?? null };
    const isDead = kernel === null || kernel.status === 'dead';
    const banners = bannersOf(notebook, notices(), dismissed.read()).map(notice => {
      const canRestart = isDead && isKernelDeath(notice);
      return {
        id: notice.id,
        severity: notice.severity,
        text: describe(notice, trans),
        consequences: this._failure ?? consequences(notice, canRestart, trans),
        canRestart,
        isRestarting: this._isRestarting
      };
    });
    if (JSON.stringify(banners) !== JSON.stringify(this._banners)) {
      this._banners = banners;
      this._stateChanged.emit();
    }
  }

  /** Never say it again, in no tab of this browser. */
  dismiss(id: string): void {
    this._options.dismissed.add([[id, 1]]);
    this.update();
  }

  /** Give the notebook a kernel again: one, however often it is asked for. */
  async restart(): Promise<void> {
    if (this._isRestarting) {
      return;
    }
    const { context, trans } = this._options;
    const { prevKernelName, session } = context.sessionContext;
    const name = session?.kernel?.name ?? prevKernelName;
    this._failure = undefined;
    this._isRestarting = true;
    this.update();
    try {
      if (session) {
        // Jupyter has let go of it: nothing but another one can take its place.
        await context.sessionContext.shutdown();
      }
      await context.sessionContext.changeKernel({ name });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this._failure = trans.__('The kernel could not be restarted: %1', why);
    } finally {
      this._isRestarting = false;
    }
    this.update();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _banners: readonly IBanner[] = [];
  private _failure: string | undefined;
  private _isDisposed = false;
  private _isRestarting = false;
  private readonly _stateChanged = new Signal<this, void>(this);
}

export namespace NotebookNotices {
  export interface IOptions {
    readonly context: Context;
    readonly trans: TranslationBundle;

    /** The notices that hold and that the user wants to know of. */
    readonly notices: () => readonly Notice[];

    /** What was dismissed from a notebook. */
    readonly dismissed: Remembered;
  }
}
