import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Say that what the user wanted came to nothing, and why. */
export function tellFailure(why: string | Error, trans: TranslationBundle): Promise<void> {
  return showErrorMessage(trans.__('That did not work'), why);
}

/**
 * Wait for a part of the page that is not loaded at Lab's start.
 *
 * @returns null where it cannot be loaded, and the user is being told
 */
export async function late<T>(
  part: Promise<T>,
  trans: TranslationBundle
): Promise<T | null> {
  try {
    return await part;
  } catch (error) {
    console.warn('jupyter-einfra: a part of it cannot be loaded.', error);
    // Not waited for: Lab may be about to put a tab back where it was.
    void tellFailure(
      trans.__(
        'This cannot be loaded. The server may be away, or it was updated: try again, or reload the page.'
      ),
      trans
    );
    return null;
  }
}
