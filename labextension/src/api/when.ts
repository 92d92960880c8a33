import { daysFrom } from './format';

/** Writes times to come, and such that were, in the user's language. */
export class When {
  /** @param _language - BCP 47 tag */
  constructor(private readonly _language: string) {}

  /** "today 04:00", "Friday 04:00", "Fri, Dec 11, 04:00". */
  day(when: Date, now: Date): string {
    const days = daysFrom(now, when);
    const hour = { hour: 'numeric', minute: '2-digit' } as const;
    if (Math.abs(days) <= 1) {
      const relative = new Intl.RelativeTimeFormat(this._language, { numeric: 'auto' });
      return `${relative.format(days, 'day')} ${this._write(when, hour)}`;
    }
    return Math.abs(days) < 7
      ? this._write(when, { weekday: 'long', ...hour })
      : this._write(when, { weekday: 'short', day: 'numeric', month: 'short', ...hour });
  }

  /** "Fri 27, 04:00": never without its day. */
  moment(when: Date): string {
    return this._write(when, {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: 'numeric',
      minute: '2-digit'
    });
  }

  /** For the axis: the hour, or the day at midnight. */
  tick(when: Date): string {
    return when.getHours() === 0 && when.getMinutes() === 0
      ? this._write(when, { weekday: 'short', day: 'numeric' })
      : this._write(when, { hour: 'numeric', minute: '2-digit' });
  }

  private _write(when: Date, options: Intl.DateTimeFormatOptions): string {
    return new Intl.DateTimeFormat(this._language, options).format(when);
  }
}
