import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * Ask before something is lost; nothing is, if Enter is pressed in haste.
 *
 * @param losses - what is lost
 * @param act - the word on the button that does it
 */
export async function agreed(
  title: string,
  losses: string,
  act: string,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title,
    body: losses,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: act })
    ],
    defaultButton: 0
  });
  return button.accept;
}
