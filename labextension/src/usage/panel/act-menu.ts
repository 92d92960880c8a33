import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

import type { IAct } from './acts';
import { keepFocus } from './focus';

/** Offer the acts in a menu of Lab's below a button, which gets the focus back. */
export function openMenu(button: HTMLElement, acts: readonly IAct[]): void {
  const commands = new CommandRegistry();
  const menu = new Menu({ commands });
  for (const [index, { label, execute, leaves }] of acts.entries()) {
    const command = `act-${index}`;
    commands.addCommand(command, {
      label,
      execute: () => (leaves ? execute() : keepFocus(button, execute))
    });
    menu.addItem({ command });
  }
  menu.aboutToClose.connect(() => {
    button.setAttribute('aria-expanded', 'false');
    // Not from under a dialog that an act has opened meanwhile.
    requestAnimationFrame(() => {
      if (
        document.activeElement === document.body ||
        menu.node.contains(document.activeElement)
      ) {
        button.focus();
      }
      menu.dispose();
    });
  });
  const { left, bottom } = button.getBoundingClientRect();
  button.setAttribute('aria-expanded', 'true');
  menu.open(left, bottom);
}
