import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';

import { agreed } from '../api/ask';
import { shorten, tidy } from '../api/blanks';
import { networkError } from '../api/errors';
import { describe } from '../api/messages';
import type { Requester } from '../api/request';
import type { components } from '../api/schema';

type StopGrant = components['schemas']['StopGrant'];

/** More names than this are not read by anybody. */
const MOST_NAMED = 5;
const LONGEST_NAME = 60;

/** Stops this server, where the hub lets it. */
export class Stopper {
  constructor(private readonly _options: Stopper.IOptions) {}

  /** What the server last said; null while it was not asked, or did not answer. */
  get grant(): StopGrant | null {
    return this._grant;
  }

  /** Whether it is worth to be offered: as long as nobody has said no. */
  get mayWork(): boolean {
    return this._options.controlPanel !== null && this._grant?.may_stop !== false;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Ask whether this server may be stopped from here. */
  async look(): Promise<void> {
    if (this._options.controlPanel === null) {
      return;
    }
    try {
      this._take(await this._ask('GET'));
    } catch {
      // The page that asks shows the way to the hub instead.
    }
  }

  /** Stop it, if the user agrees. */
  async stop(): Promise<void> {
    const { trans } = this._options;
    try {
      const grant = await this._ask('GET');
      this._take(grant);
      if (grant.may_stop !== true) {
        await this._tell(trans.__('It cannot be stopped from here'), why(grant, trans));
        return;
      }
      const label = trans.__('Stop My Server');
      if (!(await agreed(trans.__('Stop your server?'), this._losses(), label, trans))) {
        return;
      }
      const done = await this._ask('POST');
      if (done.may_stop !== true) {
        await this._tell(trans.__('It was not stopped'), why(done, trans));
        return;
      }
      await this._tell(
        trans.__('Your server is being stopped'),
        trans.__(
          'This page loses it in a moment. Start it again in the hub’s control panel; your files are still there.'
        )
      );
    } catch (error) {
      await this._tell(
        trans.__('It was not stopped'),
        describe(networkError(error), trans)
      );
    }
  }

  /** What ends with it, by name. */
  private _losses(): string {
    const { app, trans } = this._options;
    const { sessions, terminals } = app.serviceManager;
    const names = [...sessions.running()].map(({ name, path }) =>
      shorten(tidy(name || path), LONGEST_NAME)
    );
    const shells = [...terminals.running()].length;
    const more = names.length - MOST_NAMED;
    return [
      names.length > 0 &&
        trans.__(
          'Kernels end and lose their variables: %1.',
          [
            ...names.slice(0, MOST_NAMED),
            ...(more > 0 ? [trans._n('%1 more', '%1 more', more)] : [])
          ].join(', ')
        ),
      shells > 0 &&
        trans._n(
          '%1 terminal ends, with what runs in it.',
          '%1 terminals end, with what runs in them.',
          shells
        ),
      trans.__('All applications end. What was not saved is lost; saved files stay.')
    ]
      .filter(Boolean)
      .join(' ');
  }

  private async _ask(method: 'GET' | 'POST'): Promise<StopGrant> {
    const response = await this._options.request('idle/stop', { method });
    return (await response.json()) as StopGrant;
  }

  private _take(grant: StopGrant): void {
    this._grant = grant;
    this._changed.emit();
  }

  /** Say something, with the way to the hub. */
  private async _tell(title: string, body: string): Promise<void> {
    const { controlPanel, trans } = this._options;
    const close = Dialog.cancelButton({ label: trans.__('Close') });
    const open = Dialog.okButton({ label: trans.__('Open the Hub’s Control Panel') });
    const buttons = controlPanel === null ? [close] : [close, open];
    const { button } = await showDialog({ title, body, buttons });
    if (controlPanel !== null && button.accept) {
      window.open(controlPanel, '_blank', 'noopener');
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _grant: StopGrant | null = null;
}

export namespace Stopper {
  export interface IOptions {
    readonly app: JupyterFrontEnd;
    readonly request: Requester;
    readonly trans: TranslationBundle;

    /** The hub's page on which servers are stopped; null without a hub. */
    readonly controlPanel: string | null;
  }
}

function why({ reason }: StopGrant, trans: TranslationBundle): string {
  return reason
    ? describe(reason, trans)
    : trans.__('The server did not say why. Use the hub’s control panel.');
}
