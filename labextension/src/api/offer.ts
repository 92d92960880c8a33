import { Signal, type ISignal } from '@lumino/signaling';

import type { IEinfraStream } from '../tokens';

/** Whether the server offers a feature to this user, as far as is known. */
export class Offer {
  /**
   * @param feature - its name, which is that of its topic, too
   */
  constructor(
    private readonly _stream: IEinfraStream,
    private readonly _feature: string
  ) {
    _stream.snapshotChanged.connect(this._look, this);
  }

  /** True until the server has said otherwise. */
  get stands(): boolean {
    return this._stands;
  }

  get changed(): ISignal<this, boolean> {
    return this._changed;
  }

  /** A refused connection says nothing of the feature: a token may have run out. */
  private _look(): void {
    const { snapshot } = this._stream;
    const feature = snapshot?.features.find(({ name }) => name === this._feature);
    const refused = snapshot?.refused.some(({ topic }) => topic === this._feature) ?? false;
    const stands = feature?.state === 'on' && !refused;
    if (stands !== this._stands) {
      this._stands = stands;
      this._changed.emit(stands);
    }
  }

  private readonly _changed = new Signal<this, boolean>(this);
  private _stands = true;
}
