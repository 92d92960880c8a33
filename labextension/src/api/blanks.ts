import type { TranslationBundle } from '@jupyterlab/translation';

import type { Params } from './errors';
import { Format } from './format';

/** Longest name of a notebook or device inside a sentence, and longest text of all else. */
export const LONGEST_NAME = 28;
const LONGEST_TEXT = 300;

/** Signs that are not seen themselves, but could turn the rest of a sentence about. */
// eslint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Writes one text: with `params` as they came, with `blanks` as a person reads them. */
export type Render = (trans: TranslationBundle, params: Params, blanks: Blanks) => string;

/** A figure that the text needs was not sent: the server is of another version. */
export class MissingBlank extends Error {}

/**
 * What fills the blanks of a text, written for people.
 *
 * Everything here came from elsewhere: a name may be as long and as odd as its file's.
 */
export class Blanks {
  constructor(
    private readonly _params: Params,
    readonly format: Format
  ) {}

  /** Whether it was sent. */
  has(key: string): boolean {
    return Object.hasOwn(this._params, key);
  }

  /** A figure; throws `MissingBlank`. */
  number(key: string): number {
    const value = this.has(key) ? Number(this._params[key]) : NaN;
    if (!Number.isFinite(value)) {
      throw new MissingBlank(key);
    }
    return value;
  }

  /** A name, cut in its middle, so that its beginning and its suffix can be told. */
  name(key = 'name'): string {
    if (!this.has(key)) {
      throw new MissingBlank(key);
    }
    return shorten(tidy(String(this._params[key])), LONGEST_NAME);
  }

  /** "14.8 of 16 GiB"; only the limit where what was used is not known. */
  bytes(used: string, limit: string): string {
    return this.has(used)
      ? this.format.bytes(this.number(used), this.number(limit))
      : this.format.limitSize(this.number(limit));
  }

  /** "11.8 GiB". */
  size(key: string, times = 1): string {
    return this.format.size(this.number(key) * times);
  }

  /** "5 min". */
  duration(key: string, seconds = 1): string {
    return this.format.duration(this.number(key) * seconds);
  }

  /** "5 hr 48 min". */
  length(key: string): string {
    return this.format.length(this.number(key));
  }

  /** "03:12", with the day where that is not today. */
  time(key = 'time'): string {
    const when = new Date(this.has(key) ? (this._params[key] ?? NaN) : NaN);
    if (Number.isNaN(when.getTime())) {
      throw new MissingBlank(key);
    }
    return this.format.time(when, new Date());
  }
}

/** The same with its texts on one line, and none without end. */
export function tidyParams(params: Params): Params {
  return Object.fromEntries(
    Object.entries(params).map(([key, value]) => [
      key,
      typeof value === 'string' ? shorten(tidy(value), LONGEST_TEXT) : value
    ])
  );
}

/** Without signs that are not seen. */
export function tidy(text: string): string {
  return text.replace(UNSEEN, ' ').trim();
}

/** At most so many characters, with a gap in the middle. */
export function shorten(text: string, most: number): string {
  // By characters: half of an emoji is none.
  const signs = text.length <= most ? [] : Array.from(text);
  if (signs.length <= most) {
    return text;
  }
  const tail = Math.floor((most - 1) / 2);
  return `${signs.slice(0, most - 1 - tail).join('')}…${signs.slice(-tail).join('')}`;
}

const formats = new WeakMap<TranslationBundle, Format>();

/** The figures' format in the language of the given texts. */
export function formatOf(trans: TranslationBundle): Format {
  let format = formats.get(trans);
  if (!format) {
    // Lab's bundles know their language, though their type does not say so.
    const { getLocale } = trans as { getLocale?: () => string };
    format = new Format(trans, getLocale?.call(trans) ?? 'en');
    formats.set(trans, format);
  }
  return format;
}
