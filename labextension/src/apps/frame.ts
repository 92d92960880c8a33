import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { make } from './launch/view';

/** What a program in a frame may do, beside what a page of its own site may. */
const ALLOWED = 'clipboard-read; clipboard-write; fullscreen';

/** Shows an address of this server in a tab of Lab. */
export class AppFrame extends Widget {
  constructor(private readonly _options: AppFrame.IOptions) {
    super();
    this.addClass('jp-EinfraApps-frame');
    if (_options.waits) {
      this._wait();
    } else {
      this.load();
    }
  }

  /** Show the address; the page there starts the program if need be. */
  load(): void {
    const { title, url } = this._options;
    this.node.replaceChildren();
    const frame = document.createElement('iframe');
    frame.title = title;
    frame.allow = ALLOWED;
    frame.src = url;
    this.node.append(frame);
    this._frame = frame;
  }

  /** Let the keyboard go to the program. */
  protected override onActivateRequest(): void {
    (this._frame ?? this.node.querySelector('button'))?.focus();
  }

  /** Lab put the tab back where it was; that alone starts nothing. */
  private _wait(): void {
    const { onStart, title, trans } = this._options;
    const box = make('div', 'box');
    const heading = make('h1', 'heading');
    heading.textContent = trans.__('%1 does not run', title);
    const detail = make('p', 'detail');
    detail.textContent = trans.__('It ran when this tab was last open.');
    const button = make('button', 'act');
    button.type = 'button';
    button.classList.add('jp-mod-first');
    button.textContent = trans.__('Start');
    button.addEventListener('click', onStart);
    const bottom = make('div', 'bottom');
    bottom.append(button);
    box.append(heading, detail, bottom);
    this.node.append(box);
  }

  private _frame: HTMLIFrameElement | null = null;
}

export namespace AppFrame {
  export interface IOptions {
    readonly url: string;
    readonly title: string;
    readonly trans: TranslationBundle;

    /** Whether to wait for the user before anything is loaded. */
    readonly waits: boolean;

    /** What to do when the user wants it to run. */
    readonly onStart: () => void;
  }
}

/** A tab with an application. */
export type AppTab = MainAreaWidget<AppFrame>;

/** Make a tab; it is not shown yet. */
export function makeTab(
  id: string,
  options: AppFrame.IOptions & Pick<Widget['title'], 'icon'>
): AppTab {
  const tab = new MainAreaWidget({ content: new AppFrame(options) });
  tab.id = id;
  tab.toolbar.hide(); // empty, it would be a grey line
  tab.title.label = options.title;
  tab.title.caption = options.title;
  tab.title.icon = options.icon;
  tab.title.closable = true;
  return tab;
}
