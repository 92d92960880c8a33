import type { TranslationBundle } from '@jupyterlab/translation';

import { APPLICATIONS } from '../../api/applications';
import type { Words } from '../../api/describe';
import { REPLIES } from '../../api/replies';

/** All that a page of ours has to say of what the server tells it. */
export const PAGE_WORDS: Words = { ...APPLICATIONS, ...REPLIES };

/** A catalogue as the server has it: the forms of each text by its English one. */
export type Catalogue = Readonly<
  Record<string, readonly string[] | { plural_forms?: string }>
>;

/** What stands between the context of a text and the text. */
const CONTEXT_END = '\u0004';

/** The order of forms in a catalogue, as far as a language has them. */
const FORMS: readonly Intl.LDMLPluralRule[] = [
  'zero',
  'one',
  'two',
  'few',
  'other',
  'many'
];

/**
 * Translations where Lab is not around: the same texts, the same catalogue.
 *
 * Lab's own take much more than the page that shows a start.
 */
export class PageWords implements TranslationBundle {
  /**
   * @param catalogues - by the name of their locale, such as `cs_CZ`
   * @param languages - what the user reads, the best first, as BCP 47 tags
   */
  constructor(
    catalogues: Readonly<Record<string, Catalogue>>,
    languages: readonly string[]
  ) {
    for (const language of languages) {
      const short = language.slice(0, 2).toLowerCase();
      if (short === 'en') {
        return;
      }
      const found = Object.keys(catalogues).find(name => name.startsWith(`${short}_`));
      if (found !== undefined) {
        this._catalogue = catalogues[found] ?? {};
        this._locale = found.replace('_', '-');
        return;
      }
    }
  }

  /** BCP 47 tag of the language that is spoken here. */
  getLocale(): string {
    return this._locale;
  }

  __(text: string, ...blanks: unknown[]): string {
    return fill(this._form(text, 0) ?? text, blanks);
  }

  _n(text: string, plural: string, count: number, ...blanks: unknown[]): string {
    const english = count === 1 ? text : plural;
    return fill(this._form(text, this._plural(count)) ?? english, [count, ...blanks]);
  }

  _p(context: string, text: string, ...blanks: unknown[]): string {
    return fill(this._form(context + CONTEXT_END + text, 0) ?? text, blanks);
  }

  _np(
    context: string,
    text: string,
    plural: string,
    count: number,
    ...blanks: unknown[]
  ): string {
    return this._inContext(context, text, plural, count, blanks);
  }

  readonly gettext = this.__.bind(this);
  readonly ngettext = this._n.bind(this);
  readonly pgettext = this._p.bind(this);
  readonly npgettext = this._np.bind(this);
  readonly dcnpgettext = (
    _domain: string,
    context: string,
    text: string,
    plural: string,
    count: number,
    ...blanks: unknown[]
  ): string => this._inContext(context, text, plural, count, blanks);

  private _inContext(
    context: string,
    text: string,
    plural: string,
    count: number,
    blanks: readonly unknown[]
  ): string {
    const english = count === 1 ? text : plural;
    const form = this._form(context + CONTEXT_END + text, this._plural(count));
    return fill(form ?? english, [count, ...blanks]);
  }

  private _form(key: string, form: number): string | undefined {
    const forms = this._catalogue[key];
    return Array.isArray(forms) ? (forms as readonly string[])[form] : undefined;
  }

  /** Which form goes with a number: whole ones come first in a catalogue. */
  private _plural(count: number): number {
    const rules = new Intl.PluralRules(this._locale);
    const there = rules.resolvedOptions().pluralCategories;
    return FORMS.filter(form => there.includes(form)).indexOf(rules.select(count));
  }

  private readonly _catalogue: Catalogue = {};
  private readonly _locale: string = 'en';
}

function fill(text: string, blanks: readonly unknown[]): string {
  return text.replace(/%(\d+)/g, (blank, number: string) => {
    const value = blanks[Number(number) - 1];
    return typeof value === 'string' || typeof value === 'number' ? `${value}` : blank;
  });
}
