/** What has the focus first in a panel: the chosen time, or else its first button. */
const FIRST = 'input:checked, button';

/** Put the focus to the first control of a panel, if there is one. */
export function focusFirst(panel: Element | null): boolean {
  const first = panel?.querySelector<HTMLElement>(FIRST);
  first?.focus();
  return first !== undefined && first !== null;
}

/** The panel around a control. */
export function panelOf(node: Element): Element | null {
  return node.closest('.jp-EinfraUsagePanel');
}

/**
 * Do what a control is for, and give it the focus back where nothing else has it.
 *
 * Lab gives it back to what had it when a dialog was opened: a menu that is gone.
 */
export async function keepFocus(
  opener: HTMLElement,
  act: () => Promise<unknown>
): Promise<void> {
  // Once its row is gone, so is the way from it to the panel.
  const panel = panelOf(opener);
  await act();
  const { activeElement, body } = document;
  if (activeElement !== null && activeElement !== body) {
    return;
  }
  if (opener.isConnected) {
    opener.focus();
  } else {
    focusFirst(panel);
  }
}
