import type { TranslationBundle } from '@jupyterlab/translation';

import { type ICoded } from '../../api/describe';
import { networkError } from '../../api/errors';
import type { Format } from '../../api/format';
import type { Requester } from '../../api/request';
import { Follower, type LaunchEvent } from './follower';
import { launchOf, type Act, type Instance } from './model';
import { resetLosses } from './reset';
import { LaunchView } from './view';

/** How often the time that has passed is shown anew. */
const TICK_MS = 100;

/** Brings together what is known of one instance, what is shown, and what is done. */
export class LaunchController {
  constructor(private readonly _options: LaunchController.IOptions) {
    const { instance, elapsed, error, request } = _options;
    this._instance = instance;
    this._error = error;
    this._fromElsewhere = _options.fromElsewhere;
    this._begin(elapsed);
    this._follower = new Follower({
      id: instance.id,
      request,
      onTold: event => {
        this._tell(event);
      },
      onPrinted: event => {
        this.view.print(event);
      },
      onLost: lost => {
        const { trans } = _options;
        this.view.warn(
          lost === null
            ? ''
            : trans.__('The server cannot be reached. This page tries again by itself.')
        );
      }
    });
    this.view = new LaunchView({
      icon: _options.icon,
      trans: _options.trans,
      links: _options.links,
      label: act => this._label(act),
      onAct: act => void this._do(act)
    });
    this._update();
    this._follower.start();
    this._timer = setInterval(() => {
      if (['starting', 'stopping'].includes(this._instance.state)) {
        this._update();
      }
    }, TICK_MS);
  }

  readonly view: LaunchView;

  /** Let go of the connection. */
  dispose(): void {
    this._follower.stop();
    clearInterval(this._timer);
  }

  private _tell(event: LaunchEvent): void {
    this._error = null;
    this._instance = event.instance;
    this._fromElsewhere &&= event.instance.state === 'stopped';
    this._begin(event.elapsed_seconds);
    if (event.instance.started === null) {
      this.view.clear(); // what it printed was of a run of another server
    }
    this._update();
  }

  private _begin(elapsed: number | null): void {
    this._begun = elapsed === null ? null : performance.now() / 1000 - elapsed;
  }

  private _update(): void {
    const { format, onReady, purpose, trans } = this._options;
    const elapsed = this._begun === null ? null : performance.now() / 1000 - this._begun;
    const launch = launchOf(
      this._instance,
      elapsed,
      this._fromElsewhere ? 'ask' : purpose,
      this._error,
      trans,
      format,
      this._options.keptIn !== null
    );
    this.view.show(launch);
    if (launch.heading !== this._heading) {
      this._heading = launch.heading;
      this._options.onHeading(launch.heading);
    }
    if (purpose === 'launch' && this._instance.state === 'running') {
      // Before the program is shown: browsers allow few connections to one server.
      this.dispose();
      onReady();
    }
  }

  private async _do(act: Act): Promise<void> {
    if (act === 'open') {
      this._options.onReady();
      return;
    }
    if (act === 'reset' && !(await this._mayReset())) {
      return;
    }
    try {
      // What follows from it comes over the stream, and maybe before this reply.
      await this._options.request(`apps/${act}`, {
        method: 'POST',
        body: JSON.stringify({ id: this._instance.id })
      });
      this._error = null;
    } catch (error) {
      this._error = networkError(error);
    }
    this._update();
  }

  /** A reset ends what runs in the session; that is asked once. */
  private _mayReset(): Promise<boolean> {
    const { keptIn, trans } = this._options;
    return this.view.ask(
      resetLosses(this._instance.title, keptIn ?? '', trans),
      trans.__('Reset the session')
    );
  }

  private _label(act: Act): string {
    const { trans } = this._options;
    switch (act) {
      case 'start':
        return this._instance.state === 'failed'
          ? trans.__('Try again')
          : trans.__('Start');
      case 'stop':
        return this._instance.state === 'starting' ? trans.__('Cancel') : trans.__('Stop');
      case 'restart':
        return trans.__('Restart');
      case 'reset':
        return trans.__('Reset the session');
      case 'open':
        return this._options.purpose === 'left'
          ? trans.__('Back to %1', this._instance.title)
          : trans.__('Open');
    }
  }

  private _begun: number | null = null;
  private _error: ICoded | null;
  private readonly _follower: Follower;
  private _fromElsewhere: boolean;
  private _heading = '';
  private _instance: Instance;
  private readonly _timer: ReturnType<typeof setInterval>;
}

export namespace LaunchController {
  export interface IOptions {
    readonly instance: Instance;

    /** Seconds since its start began, null while nothing starts. */
    readonly elapsed: number | null;

    /** What was refused before this page was made. */
    readonly error: ICoded | null;

    /** Whether nothing was started because somebody came here from another site. */
    readonly fromElsewhere: boolean;

    /** What the page is for. */
    readonly purpose: 'launch' | 'watch' | 'left';

    /** Where it keeps the session that can be reset; null if it keeps none. */
    readonly keptIn: string | null;
    readonly icon: string;
    readonly links: LaunchView.IOptions['links'];
    readonly trans: TranslationBundle;
    readonly format: Format;
    readonly request: Requester;

    /** Show the program itself. */
    readonly onReady: () => void;

    /** What the page is about now has changed. */
    readonly onHeading: (heading: string) => void;
  }
}
