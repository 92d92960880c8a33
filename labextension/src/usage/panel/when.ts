import type { IRange } from './ranges';

/** Writes times as the charts need them, in the user's language. */
export class When {
  /** @param language - BCP 47 tag */
  constructor(private readonly _language: string) {}

  /** "12:03:07", or with the day where points stand for minutes and more. */
  exact(seconds: number, resolution: number): string {
    return resolution < 60
      ? this._write(seconds, {
          hour: 'numeric',
          minute: '2-digit',
          second: '2-digit'
        })
      : this._write(seconds, {
          weekday: 'short',
          day: 'numeric',
          month: 'short',
          hour: 'numeric',
          minute: '2-digit'
        });
  }

  /** A word for the axis: the hour, or the day where that says more. */
  tick(seconds: number, range: IRange): string {
    switch (range.key) {
      case '15min':
      case '6h':
        return this._write(seconds, { hour: 'numeric', minute: '2-digit' });
      case '7d':
        return this._write(seconds, { weekday: 'short', day: 'numeric' });
      case '90d':
        return this._write(seconds, { day: 'numeric', month: 'short' });
    }
  }

  private _write(seconds: number, options: Intl.DateTimeFormatOptions): string {
    const key = JSON.stringify(options);
    let format = this._dates.get(key);
    if (!format) {
      // Making one takes far longer than using it.
      format = new Intl.DateTimeFormat(this._language, options);
      this._dates.set(key, format);
    }
    return format.format(new Date(seconds * 1000));
  }

  private readonly _dates = new Map<string, Intl.DateTimeFormat>();
}
