import { make } from './launch/view';

interface IOptions {
  readonly text: string;
  readonly isFailure: boolean;

  /** What can be done; the first one is what most people want. */
  readonly acts: readonly { readonly label: string; readonly execute: () => void }[];
}

/** Says above a page that it is over; what it shows may still be of use. */
export function makeStrip({ acts, isFailure, text }: IOptions): HTMLElement {
  const words = document.createElement('p');
  words.textContent = text;
  const buttons = document.createElement('div');
  buttons.className = 'jp-EinfraApps-overActs';
  buttons.append(
    ...acts.map(({ execute, label }) => {
      const made = make('button', 'act');
      made.type = 'button';
      made.textContent = label;
      made.addEventListener('click', execute);
      return made;
    })
  );
  buttons.firstElementChild?.classList.add('jp-mod-first');
  const strip = document.createElement('div');
  strip.className = 'jp-EinfraApps-over';
  strip.classList.toggle('jp-mod-failed', isFailure);
  strip.dataset['text'] = text;
  strip.setAttribute('role', isFailure ? 'alert' : 'status');
  strip.append(words, buttons);
  return strip;
}
