import type { TranslationBundle } from '@jupyterlab/translation';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** From this part of a unit on, a size is told in it: four digits are hard to feel. */
const NEARLY = 0.9;

const SECOND = [1, 'second'] as const;

/** Units of time with their seconds, the longest first. */
const LENGTHS = [[86_400, 'day'], [3_600, 'hour'], [60, 'minute'], SECOND] as const;

/** Digits after the decimal point: none to count, one for a glance, two to be exact. */
export type Digits = 0 | 1 | 2;

/** Writes figures in the user's language, so that a person can feel them. */
export class Format {
  /**
   * @param trans - the translations to take words from
   * @param language - BCP 47 tag, for decimal signs and names of days
   */
  constructor(
    private readonly _trans: TranslationBundle,
    private readonly _language: string
  ) {}

  /** "1.9/2", for the status bar. */
  compactCores(used: number, limit: number | null): string {
    return limit === null
      ? this.number(used, 1)
      : `${this.number(used, 1)}/${this.coresLimit(limit)}`;
  }

  /** "1.9 of 2 cores". */
  cores(used: number, limit: number | null, digits: Digits = 1): string {
    const text = this.number(used, digits);
    if (limit === null) {
      return this._trans.__('%1 cores', text);
    }
    return this._trans._n(
      '%2 of %3 core',
      '%2 of %3 cores',
      limit,
      text,
      this.coresLimit(limit)
    );
  }

  /** "12.4/16 GiB", for the status bar. */
  compactBytes(used: number, limit: number | null): string {
    return limit === null
      ? this.size(used)
      : this._pair(used, limit, 1, (u, l) => `${u}/${l}`);
  }

  /** "12.4 of 16 GiB". */
  bytes(used: number, limit: number | null, digits: Digits = 1): string {
    return limit === null
      ? this.size(used, digits)
      : this._pair(used, limit, digits, (u, l) => this._trans.__('%1 of %2', u, l));
  }

  /** "12.4 GiB", and rather "0.9 GiB" than "921.6 MiB". */
  size(bytes: number, digits: Digits = 1): string {
    const power = powerOf(bytes / NEARLY);
    return `${this._inUnit(bytes, power, digits)} ${UNITS[power]}`;
  }

  /** "16 GiB": like `size`, but without zeros that say nothing. */
  limitSize(bytes: number, digits: Digits = 1): string {
    const power = powerOf(bytes);
    return `${this._digits(bytes / 1024 ** power, 0, digits)} ${UNITS[power]}`;
  }

  /** "63 %". */
  percent(share: number): string {
    return `${this._digits(Math.round(share * 100), 0, 0)} %`;
  }

  /** "40 sec", "5 min", "3 hr": one unit, as a person would round it. */
  duration(seconds: number): string {
    const [size, unit] = LENGTHS.find(([length]) => seconds >= 1.5 * length) ?? SECOND;
    return new Intl.NumberFormat(this._language, {
      style: 'unit',
      unit,
      unitDisplay: 'short',
      maximumFractionDigits: 0
    }).format(Math.round(seconds / size));
  }

  /** "5 hr 48 min", "2 days and 15 hours": the two greatest units, for what is over. */
  length(seconds: number, unitDisplay: 'short' | 'long' = 'short'): string {
    const indexOf = (length: number): number => {
      const index = LENGTHS.findIndex(([size]) => length >= size);
      return index < 0 ? LENGTHS.length - 1 : index;
    };
    const least = LENGTHS[indexOf(seconds) + 1]?.[0] ?? 1;
    let left = Math.max(1, Math.round(seconds / least) * least);
    // Rounded, 59.7 seconds are a minute.
    const at = indexOf(left);
    const parts = LENGTHS.slice(at, at + 2).flatMap(([size, unit]) => {
      const count = Math.floor(left / size);
      left -= count * size;
      const options = { style: 'unit', unit, unitDisplay } as const;
      return count > 0
        ? [new Intl.NumberFormat(this._language, options).format(count)]
        : [];
    });
    return unitDisplay === 'long'
      ? new Intl.ListFormat(this._language).format(parts)
      : parts.join(' ');
  }

  /** "12:03", with the day where that is not today. */
  time(when: Date, now: Date): string {
    const days = Math.abs(daysFrom(now, when));
    return new Intl.DateTimeFormat(this._language, {
      hour: 'numeric',
      minute: '2-digit',
      ...(days >= 1 && days < 7 && { weekday: 'short' }),
      ...(days >= 7 && { day: 'numeric', month: 'short' })
    }).format(when);
  }

  /** A figure that changes keeps its digits, so that it does not jump about. */
  number(value: number, digits: Digits): string {
    return this._digits(value, digits, digits);
  }

  /** "0.004", "0.1" or "12": two digits that count, however small it is. */
  small(value: number): string {
    return new Intl.NumberFormat(this._language, { maximumSignificantDigits: 2 }).format(
      value
    );
  }

  /** "2" or "0.25": quotas of CPU come in hundredths. */
  coresLimit(value: number): string {
    return this._digits(value, 0, 2);
  }

  private _pair(
    used: number,
    limit: number,
    digits: Digits,
    join: (used: string, limit: string) => string
  ): string {
    const power = powerOf(limit);
    // In the unit of the limit, unless nothing would be left of the figure.
    const tiny = used > 0 && used / 1024 ** power < 0.05;
    const text = tiny ? this.size(used, digits) : this._inUnit(used, power, digits);
    return join(text, this.limitSize(limit, digits));
  }

  private _inUnit(bytes: number, power: number, digits: Digits): string {
    return power === 0
      ? this._digits(bytes, 0, 0)
      : this.number(bytes / 1024 ** power, digits);
  }

  private _digits(value: number, least: number, most: number): string {
    const key = `${least}-${most}`;
    let format = this._formats.get(key);
    if (!format) {
      // Making one takes far longer than using it, and figures come every second.
      format = new Intl.NumberFormat(this._language, {
        minimumFractionDigits: least,
        maximumFractionDigits: most
      });
      this._formats.set(key, format);
    }
    return format.format(value);
  }

  private readonly _formats = new Map<string, Intl.NumberFormat>();
}

/** The power of 1024 whose unit writes the size with the fewest digits. */
function powerOf(bytes: number): number {
  let power = 0;
  while (power < UNITS.length - 1 && bytes >= 1024 ** (power + 1)) {
    power++;
  }
  return power;
}

/** How many midnights lie between two times; negative if the second is before. */
export function daysFrom(now: Date, when: Date): number {
  // Rounded: a day may have 23 or 25 hours.
  return Math.round((startOfDay(when) - startOfDay(now)) / 86_400_000);
}

function startOfDay(when: Date): number {
  return new Date(when.getFullYear(), when.getMonth(), when.getDate()).getTime();
}
