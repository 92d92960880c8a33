/** More ids than this make room for new ones, the oldest first. */
export const MOST_REMEMBERED = 200;

/** Where a browser keeps things; null where it does not allow that. */
export type Store = Pick<Storage, 'getItem' | 'setItem'> | null;

/**
 * Ids that this browser remembers, each with a number, also after a reload.
 *
 * All tabs share them. Where nothing may be stored, or what is there cannot be read,
 * they are kept for as long as the page is.
 */
export class Remembered {
  /**
   * @param store - where to keep them
   * @param key - the name to keep them under
   */
  constructor(
    private readonly _store: Store,
    readonly key: string
  ) {}

  /** All of them, the oldest first. Another tab may have added some. */
  read(): ReadonlyMap<string, number> {
    return new Map([...this._own, ...this._stored()]);
  }

  /** Remember some; a number that is there already is replaced. */
  add(entries: Iterable<readonly [string, number]>): void {
    const all = new Map(this.read());
    for (const [id, value] of entries) {
      all.delete(id);
      all.set(id, value);
    }
    const kept = [...all].slice(-MOST_REMEMBERED);
    this._own = new Map(kept);
    try {
      this._store?.setItem(this.key, JSON.stringify(kept));
    } catch {
      // Full, or not allowed.
    }
  }

  private _stored(): readonly (readonly [string, number])[] {
    try {
      const stored: unknown = JSON.parse(this._store?.getItem(this.key) ?? '[]');
      return Array.isArray(stored) ? stored.filter(isEntry) : [];
    } catch {
      return [];
    }
  }

  private _own: ReadonlyMap<string, number> = new Map();
}

function isEntry(value: unknown): value is readonly [string, number] {
  return (
    Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number'
  );
}
