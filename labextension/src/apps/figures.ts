import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

import type { components } from '../api/schema';
import type { IEinfraStream, ISubscription } from '../tokens';
import type { AppsModel } from './model';

type Program = components['schemas']['Program'];

/** Lab's list of what runs. */
const SIDEBAR_ID = 'jp-running-sessions';

/** What applications use, asked for only while Lab's list of what runs is on screen. */
export class Figures {
  constructor(
    private readonly _stream: IEinfraStream,
    private readonly _model: AppsModel
  ) {
    _model.changed.connect(this._look, this);
  }

  /** What an instance uses; null if it is not known. */
  of(id: string): Program | null {
    return this._programs.get(id) ?? null;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Look after the list in Lab's shell. */
  watch(app: JupyterFrontEnd): void {
    const find = (): void => {
      const found = [...app.shell.widgets('left'), ...app.shell.widgets('right')].find(
        ({ id }) => id === SIDEBAR_ID
      );
      if (found && found !== this._sidebar) {
        this._sidebar = found;
        const observer = new IntersectionObserver(entries => {
          this._isSeen = entries.at(-1)?.isIntersecting ?? false;
          this._look();
        });
        observer.observe(found.node);
      }
    };
    void app.restored.then(find);
  }

  private _look(): void {
    const wanted = this._isSeen && this._model.instances.length > 0;
    if (wanted && !this._subscription) {
      this._subscription = this._stream.subscribe('usage-details');
      this._subscription.message.connect((_, { programs }) => {
        this._programs = new Map(
          programs.filter(({ kind }) => kind === 'app').map(one => [one.id, one])
        );
        this._changed.emit();
      });
    } else if (!wanted && this._subscription) {
      this._subscription.dispose();
      this._subscription = null;
      this._programs = new Map();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _isSeen = false;
  private _programs: ReadonlyMap<string, Program> = new Map();
  private _sidebar: Widget | null = null;
  private _subscription: ISubscription<'usage-details'> | null = null;
}
