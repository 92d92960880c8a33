import { maker } from '../launch/elements';

export const make = maker('jp-EinfraDesktop');

export function makeButton(text: string, act: () => void): HTMLButtonElement {
  const button = make('button', 'button');
  button.type = 'button';
  button.textContent = text;
  button.addEventListener('click', act);
  return button;
}

/** A button, and a panel below it that it opens and closes. */
export class Panel {
  constructor(text: string, content: readonly HTMLElement[]) {
    this.button = makeButton(text, () => {
      this.toggle();
    });
    this.button.setAttribute('aria-expanded', 'false');
    this._panel.hidden = true;
    this._panel.append(...content);
    this.node.append(this.button, this._panel);
    this.node.addEventListener('keydown', event => {
      if (event.key === 'Escape' && !this._panel.hidden) {
        event.stopPropagation();
        this.toggle(false);
        this.button.focus();
      }
    });
    this.node.addEventListener('focusout', ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !this.node.contains(relatedTarget)) {
        this.toggle(false);
      }
    });
  }

  readonly button: HTMLButtonElement;
  readonly node = make('div', 'menu');

  toggle(isOpen = this._panel.hidden): void {
    this._panel.hidden = !isOpen;
    this.button.setAttribute('aria-expanded', String(isOpen));
  }

  private readonly _panel = make('div', 'panel');
}
