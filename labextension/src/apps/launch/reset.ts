import type { TranslationBundle } from '@jupyterlab/translation';

import { shorten, tidy } from '../../api/blanks';

const LONGEST_TITLE = 60;

/** What becomes of the session that is reset. */
export function resetLosses(
  title: string,
  keptIn: string,
  trans: TranslationBundle
): string {
  return trans.__(
    '%1 ends at once: what runs in it, and what it has not saved yet, is lost. Its session is set aside in %2, not deleted, and a new one begins.',
    nameOf(title),
    keptIn
  );
}

/** A title for people, not without end. */
export function nameOf(title: string): string {
  return shorten(tidy(title), LONGEST_TITLE);
}
