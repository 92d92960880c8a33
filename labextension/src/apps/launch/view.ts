import type { TranslationBundle } from '@jupyterlab/translation';

import { maker, waysOf, type ILink } from './elements';
import type { LogEvent } from './follower';
import type { Act, ILaunch } from './model';

export const make = maker('jp-EinfraLaunch');

/** Lines that are kept on the page; the log itself has more. */
const MOST_LINES = 1_000;

/** Shows one instance as it starts, runs or ends. Plain elements: it has to be there at once. */
export class LaunchView {
  constructor(private readonly _options: LaunchView.IOptions) {
    const { icon, links, trans } = _options;
    const mark = make('div', 'icon');
    mark.setAttribute('aria-hidden', 'true');
    mark.innerHTML = icon; // a drawing that the server has checked
    this._status.setAttribute('role', 'status');
    this._status.append(this._heading, this._detail);
    const top = make('div', 'top');
    top.append(mark, this._status);
    this._bar.setAttribute('role', 'progressbar');
    this._bar.setAttribute('aria-label', trans.__('Progress'));
    this._bar.append(this._fill);
    this._times.append(this._elapsed, this._before);
    this._log.tabIndex = 0;
    this._log.setAttribute('role', 'log');
    this._log.setAttribute('aria-label', trans.__('What it printed'));
    this._log.setAttribute('aria-live', 'off'); // far too much to be read out
    const ways = waysOf(links, make);
    const bottom = make('div', 'bottom');
    bottom.append(ways, this._buttons);
    // Its height stays, so that what is below does not move when a start is over.
    const head = make('div', 'head');
    head.append(top, this._bar, this._times);
    this.node.append(head, this._trouble, this._question, this._log, bottom);
    this._question.setAttribute('role', 'alertdialog');
    this._question.hidden = true;
    this._trouble.setAttribute('role', 'alert');
    this._log.hidden = true;
    this._trouble.hidden = true;
    this._log.addEventListener('scroll', () => {
      this._isAtEnd = isAtEnd(this._log);
    });
    new ResizeObserver(() => {
      if (this._isAtEnd) {
        this._toEnd();
      }
    }).observe(this._log);
  }

  readonly node = make('div', 'box');

  /** Show where it stands. */
  show(launch: ILaunch): void {
    this.node.classList.toggle('jp-mod-failed', launch.isFailure);
    setText(this._heading, launch.heading);
    setText(this._detail, launch.detail);
    this._bar.hidden = this._times.hidden = !launch.isBusy;
    this._bar.classList.toggle('jp-mod-unknown', launch.progress === null);
    if (launch.progress === null) {
      this._bar.removeAttribute('aria-valuenow');
      this._fill.style.removeProperty('width');
    } else {
      const percent = Math.round(launch.progress * 100);
      this._bar.setAttribute('aria-valuenow', String(percent));
      this._fill.style.width = `${percent}%`;
    }
    setText(this._elapsed, launch.elapsed);
    setText(this._before, launch.before);
    this._offer(launch.acts, launch.hasMain);
  }

  /** Add what was printed, and stay at the end if that is where the reader is. */
  print({ begins, lines, skipped_bytes: skipped }: LogEvent): void {
    const { trans } = this._options;
    const log = this._log;
    if (begins) {
      log.replaceChildren();
    }
    const wasAtEnd = isAtEnd(log);
    if (skipped > 0) {
      this._line(trans.__('(%1 bytes are left out)', skipped), 'skipped');
    }
    for (const line of lines.slice(-MOST_LINES)) {
      this._line(line, 'line');
    }
    while (log.childElementCount > MOST_LINES) {
      log.firstElementChild?.remove();
    }
    log.hidden = log.childElementCount === 0;
    if (wasAtEnd) {
      this._toEnd();
    }
  }

  /** Let the keyboard go to what was printed, or to what can be done. */
  focus(): void {
    const first = this._buttons.querySelector<HTMLElement>('button:last-child');
    (this._log.hidden ? first : this._log)?.focus();
  }

  /**
   * Ask before something is lost; nothing is, if Enter is pressed in haste.
   *
   * @param losses - what is lost
   * @param act - the word on the button that does it
   */
  ask(losses: string, act: string): Promise<boolean> {
    const before = document.activeElement;
    const text = make('p', 'losses');
    text.textContent = losses;
    text.id = 'einfra-losses';
    const no = button(this._options.trans.__('Cancel'));
    const yes = button(act);
    yes.classList.add('jp-mod-warn');
    const acts = make('div', 'acts');
    acts.append(no, yes);
    this._question.setAttribute('aria-label', act);
    this._question.setAttribute('aria-describedby', text.id);
    this._question.replaceChildren(text, acts);
    this._question.hidden = false;
    this._buttons.inert = true; // one thing at a time
    no.focus();
    return new Promise(resolve => {
      const answer = (isMeant: boolean): void => {
        this._question.hidden = true;
        this._buttons.inert = false;
        if (before instanceof HTMLElement) {
          before.focus();
        }
        resolve(isMeant);
      };
      no.addEventListener('click', () => {
        answer(false);
      });
      yes.addEventListener('click', () => {
        answer(true);
      });
      this._question.onkeydown = event => {
        if (event.key === 'Escape') {
          answer(false);
        }
      };
    });
  }

  /** Show no log: there is none. */
  clear(): void {
    this._log.replaceChildren();
    this._log.hidden = true;
  }

  /** Say that the page does not know what goes on; empty when it does. */
  warn(text: string): void {
    setText(this._trouble, text);
    this._trouble.hidden = text === '';
  }

  private _toEnd(): void {
    this._log.scrollTop = this._log.scrollHeight;
    this._isAtEnd = true;
  }

  private _line(text: string, kind: string): void {
    const line = make('div', kind);
    line.textContent = text;
    this._log.append(line);
  }

  private _offer(acts: readonly Act[], hasMain: boolean): void {
    const offered = [hasMain, ...acts.map(act => this._options.label(act))].join();
    if (offered === this._offered) {
      return;
    }
    this._offered = offered;
    // While nothing can be done, it is kept for what can be done next.
    this._owesFocus =
      this._buttons.contains(document.activeElement) ||
      (this._owesFocus && document.activeElement === document.body);
    const buttons = acts.map((act, index) => {
      const made = button(this._options.label(act));
      made.dataset['act'] = act;
      made.classList.toggle('jp-mod-first', hasMain && index === 0);
      made.addEventListener('click', () => {
        this._options.onAct(act);
      });
      return made;
    });
    // The first one is at the end of the line, where the eye ends up.
    this._buttons.replaceChildren(...buttons.reverse());
    if (this._owesFocus && acts.length > 0) {
      this._owesFocus = false;
      this._buttons.querySelector<HTMLElement>('button:last-child')?.focus();
    }
  }

  private readonly _bar = make('div', 'bar');
  private readonly _before = make('span', 'before');
  private readonly _buttons = make('div', 'acts');
  private readonly _detail = make('p', 'detail');
  private readonly _elapsed = make('span', 'elapsed');
  private readonly _fill = make('div', 'fill');
  private readonly _heading = make('h1', 'heading');
  private _isAtEnd = true;
  private readonly _log = make('div', 'log');
  private _offered = '';
  private _owesFocus = false;
  private readonly _question = make('div', 'question');
  private readonly _status = make('div', 'status');
  private readonly _times = make('div', 'times');
  private readonly _trouble = make('p', 'trouble');
}

export namespace LaunchView {
  export interface IOptions {
    /** A drawing, as the server sends it. */
    readonly icon: string;

    readonly trans: TranslationBundle;

    /** Ways back. */
    readonly links: readonly ILink[];

    readonly label: (act: Act) => string;
    readonly onAct: (act: Act) => void;
  }
}

/** Whether who reads is at the end, or nearly so. */
function isAtEnd(log: HTMLElement): boolean {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 24;
}

function button(label: string): HTMLButtonElement {
  const made = make('button', 'act');
  made.type = 'button';
  made.textContent = label;
  return made;
}

/** Change a text only if it is another one, so that it is not read out again. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
