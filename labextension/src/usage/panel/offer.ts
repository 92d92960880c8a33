import { Signal, type ISignal } from '@lumino/signaling';

import type { IEinfraStream } from '../../tokens';

/** Replies that mean: there is nothing here for you. */
const NOT_FOR_YOU = [401, 403, 404];

/** Whether there is anything that the panel could show, as far as is known. */
export class Offer {
  constructor(private readonly _stream: IEinfraStream) {
    _stream.stateChanged.connect(this._look, this);
    _stream.snapshotChanged.connect(this._look, this);
  }

  /** True until the server has said otherwise. */
  get stands(): boolean {
    return this._stands;
  }

  get changed(): ISignal<this, boolean> {
    return this._changed;
  }

  private _look(): void {
    const { state, snapshot } = this._stream;
    let stands = this._stands;
    if (state.kind === 'refused') {
      stands = !NOT_FOR_YOU.includes(state.error?.status ?? 0);
    } else if (state.kind === 'open' && snapshot) {
      const feature = snapshot.features.find(({ name }) => name === 'usage');
      const refused = snapshot.refused.some(({ topic }) => topic === 'usage');
      stands = feature?.state === 'on' && !refused;
    }
    if (stands !== this._stands) {
      this._stands = stands;
      this._changed.emit(stands);
    }
  }

  private readonly _changed = new Signal<this, boolean>(this);
  private _stands = true;
}
