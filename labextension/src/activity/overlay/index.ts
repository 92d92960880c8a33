import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Requester } from '../../api/request';
import type { ActivityModel } from '../model';
import type { IActivitySettings } from '../settings';
import { Acts, type IAct } from './acts';
import { Overlay, othersClosed } from './dialog';
import { DigestModel } from './digest';
import { watchElsewhere } from './elsewhere';
import { LABEL_ID, View } from './view';
import { DigestWords } from './words';

/** Has no notification tell the same; of the notices plugin, which may not be there. */
const TOLD = 'einfra-notices:told';

/** How it came to be open: only what opens by itself may close by itself. */
type Cause = 'asked' | 'offered' | 'by-itself';

/** Shows the overlay, by itself or when it is asked for. */
export class Welcome {
  constructor(private readonly _options: Welcome.IOptions) {
    this._words = new DigestWords(_options.trans, _options.language);
    this._acts = new Acts(_options.app, _options.trans);
  }

  /** Open it, whatever there is to say. */
  async open(): Promise<void> {
    if (this._overlay) {
      return;
    }
    const model = this._model();
    void model.load();
    await this._show(model, 'asked');
  }

  /**
   * Tell somebody who has not asked, but never between them and what they have begun.
   *
   * @param response - what the server tells
   */
  async tell(response: Response): Promise<void> {
    const { isTouched, trans } = this._options;
    const model = this._model();
    await model.take(response);
    await this._options.app.restored;
    await othersClosed();
    const isToldElsewhere = this._options.model.status?.away_since === null;
    if (!model.hasNews || isToldElsewhere || this._overlay) {
      return;
    }
    if (!isTouched()) {
      await this._show(model, 'by-itself');
      return;
    }
    const show = (): void => {
      void this._show(model, 'offered');
    };
    Notification.info(trans.__('Things happened on this server while you were away.'), {
      autoClose: false,
      actions: [{ label: trans.__('Show'), displayType: 'accent', callback: show }]
    });
  }

  private _model(): DigestModel {
    const { hasUsage, model, request } = this._options;
    return new DigestModel({ activity: model, request, hasUsage });
  }

  private async _show(model: DigestModel, cause: Cause): Promise<void> {
    if (this._overlay) {
      return;
    }
    let act: IAct | null = null;
    const view = new View({
      ...this._options,
      model,
      words: this._words,
      acts: this._acts,
      close: next => {
        act = next;
        overlay.reject();
      }
    });
    const overlay = new Overlay(view, LABEL_ID);
    this._overlay = overlay;
    let end = (): void => undefined;
    if (cause === 'by-itself') {
      end = watchElsewhere(this._options.model, overlay.node, () => {
        model.isSeen = true;
        overlay.reject();
      });
    }
    if (cause !== 'asked') {
      this._tellNotices(model);
    }
    try {
      await overlay.launch();
    } finally {
      end();
      this._overlay = null;
    }
    if (cause !== 'asked' || model.hasUnseen) {
      void model.see();
    }
    this._giveFocus();
    await this._do(act);
  }

  /** What is read here is not to be said again by notifications behind it. */
  private _tellNotices({ told }: DigestModel): void {
    const { commands } = this._options.app;
    if (told && commands.hasCommand(TOLD)) {
      commands.execute(TOLD, told).catch((error: unknown) => {
        console.warn('jupyter-einfra: notifications may tell the same.', error);
      });
    }
  }

  /** The menu that had the focus is gone by now, and at Lab's start nothing had it. */
  private _giveFocus(): void {
    const { shell } = this._options.app;
    if (document.activeElement === document.body && shell.currentWidget) {
      shell.activateById(shell.currentWidget.id);
    }
  }

  /** Do what the overlay has made room for. */
  private async _do(act: IAct | null): Promise<void> {
    try {
      await act?.execute();
    } catch (error) {
      console.warn(`jupyter-einfra: “${String(act?.label)}” cannot be done.`, error);
    }
  }

  private readonly _acts: Acts;
  private _overlay: Overlay | null = null;
  private readonly _words: DigestWords;
}

export namespace Welcome {
  export interface IOptions {
    readonly app: JupyterFrontEnd;
    readonly model: ActivityModel;
    readonly request: Requester;
    readonly trans: TranslationBundle;

    /** BCP 47 tag. */
    readonly language: string;

    readonly settings: () => IActivitySettings;

    /** Has it open by itself, or not; null where settings cannot be kept. */
    readonly setShown: () => ((show: boolean) => void) | null;

    readonly hasUsage: () => boolean;

    /** Whether the user has begun something on this page. */
    readonly isTouched: () => boolean;
  }
}
