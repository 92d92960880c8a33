import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { describe } from '../api/messages';
import type * as Late from './late';
import type { Act } from './launch/model';
import { DATA_ID } from './launch/page';
import { isAlive, type AppsModel, type Instance } from './model';
import { PageLife, type Page } from './pages';
import { watch } from './presence/watch';

/** What a program in a frame may do, beside what a page of its own site may. */
const ALLOWED = 'clipboard-read; clipboard-write; fullscreen';

/** What a tab shows, and what Lab keeps of it. */
export interface IShown {
  /** Of the application. */
  readonly app: string;

  /** Of the instance; null for the page that lets one choose. */
  readonly id: string | null;

  readonly title: string;

  /** Relative to the server's base URL. */
  readonly url: string;
}

/** Shows an address of this server in a tab of Lab. */
export class AppFrame extends Widget {
  constructor(private readonly _options: AppFrame.IOptions) {
    super();
    this._shown = _options.shown;
    this.addClass('jp-EinfraApps-frame');
    _options.model.changed.connect(this._follow, this);
    this._loadLate();
    // Also where the page itself does not tell: it may be another site's by now, or forbid it.
    const program = (): Window | null =>
      this._page === 'program' ? (this._frame?.contentWindow ?? null) : null;
    this.disposed.connect(watch(program, document, _options.onUse));
    if (_options.waits) {
      this._wait();
    } else {
      this.load();
    }
  }

  get shown(): IShown {
    return this._shown;
  }

  /** Show the address; the page there starts the program if need be. */
  load(address = this._options.address(this.shown.url)): void {
    const frame = document.createElement('iframe');
    frame.title = this.shown.title;
    frame.allow = ALLOWED;
    frame.src = address;
    frame.addEventListener('load', () => {
      if (frame === this._frame) {
        this._life.arrive();
        this._follow();
      }
    });
    this._life.begin();
    this._strip = null;
    this.removeClass('jp-mod-over');
    const hadFocus = this.node.contains(document.activeElement);
    // A page that is taken out, unlike one that is left, does not ask whether it may go.
    this.node.replaceChildren(frame);
    this._frame = frame;
    if (hadFocus) {
      frame.focus();
    }
  }

  /** Somebody wants to see it: have the page be one that works. */
  renew(instance: Instance | null): void {
    if (!this._frame) {
      this.load();
    } else if (this._page === 'program' && !this._life.isOf(instance)) {
      this.load(this._whereabouts());
    }
  }

  /** Let the user choose anew, beginning with another folder. */
  choose(shown: IShown): void {
    if (shown.url !== this._shown.url) {
      this._shown = shown;
      this.load();
    }
  }

  /** Whether a message is of the page that is shown. */
  sent({ source }: MessageEvent): boolean {
    return source !== null && source === this._frame?.contentWindow;
  }

  protected override onAfterShow(): void {
    this._follow();
  }

  /** Let the keyboard go to the program. */
  protected override onActivateRequest(): void {
    const target = this._frame ?? this.node.querySelector('button');
    this._wantsFocus = !target;
    target?.focus();
  }

  private get _page(): Page {
    if (!this._frame?.isConnected) {
      return 'none';
    }
    const page = this._frame.contentDocument;
    if (page === null) {
      return 'program'; // on another site by now, or shut off by its own policy
    }
    if (page.URL === 'about:blank' || page.readyState === 'loading') {
      return 'none';
    }
    return page.getElementById(DATA_ID) ? 'ours' : 'program';
  }

  /** Where the user is in the program, if that can be told. */
  private _whereabouts(): string {
    const { address } = this._options;
    const home = new URL(address(this.shown.url.replace(/\?.*/, '')), document.baseURI);
    const here = this._frame?.contentDocument?.URL ?? '';
    return here.startsWith(home.href) ? here : address(this.shown.url);
  }

  private _follow(): void {
    const { model } = this._options;
    const { id } = this.shown;
    if (!this._frame) {
      this._wait();
      return;
    }
    if (id === null || !model.isReady) {
      return;
    }
    const instance = model.instance(id);
    switch (this._life.judge(this._page, instance)) {
      case 'renew':
        if (this.isVisible) {
          this.load(this._whereabouts());
        } // else when it is seen: to load a program takes much
        break;
      case 'over':
        this._tell(instance);
        break;
      case 'works':
        this._strip?.remove();
        this._strip = null;
        this.removeClass('jp-mod-over');
    }
  }

  /** Say above the page that it is over; what it shows may still be of use. */
  private _tell(instance: Instance | null): void {
    const { onLog, onStart, trans } = this._options;
    const { title } = this.shown;
    const late = this._late;
    const text = instance?.reason
      ? describe(instance.reason, trans)
      : trans.__('%1 does not run', title);
    if (!late) {
      this._loadLate();
      return;
    }
    if (this._strip?.dataset['text'] === text) {
      return;
    }
    const strip = late.makeStrip({
      text,
      isFailure: instance?.state === 'failed',
      acts: [
        { label: this._label('start'), execute: onStart },
        ...(instance?.started
          ? [
              {
                label: trans.__('Show Log'),
                execute: () => {
                  onLog(instance);
                }
              }
            ]
          : [])
      ]
    });
    this._strip?.remove();
    this._strip = strip;
    this.node.prepend(strip);
    this.addClass('jp-mod-over');
  }

  /** Lab put the tab back where it was; that alone starts nothing. */
  private _wait(): void {
    const { model, onStart, trans } = this._options;
    const { app, id, title } = this.shown;
    const instance = id === null ? null : model.instance(id);
    if (instance && isAlive(instance)) {
      this.load();
      return;
    }
    const late = this._late;
    if (!late) {
      this._loadLate();
      return;
    }
    const icon = model.app(app)?.icon_svg ?? '';
    if (icon !== this._icon) {
      this._icon = icon;
      this._view = new late.LaunchView({
        icon,
        trans,
        links: [],
        label: act => this._label(act),
        onAct: act => {
          if (act === 'start') {
            onStart();
          } else {
            this.load();
          }
        }
      });
      this.node.replaceChildren(this._view.node);
    }
    const known = model.isReady ? instance : undefined;
    this._view?.show(late.launchForTab(title, known, trans));
    if (this._wantsFocus) {
      this.activate();
    }
  }

  private _label(act: Act): string {
    const { model, trans } = this._options;
    if (act === 'open') {
      return trans.__('Open');
    }
    const hasFailed = model.instance(this.shown.id ?? '')?.state === 'failed';
    return hasFailed ? trans.__('Try again') : trans.__('Start');
  }

  /** Have at hand what is said in place of a program: once that ends, it may be too late. */
  private _loadLate(): void {
    import('./late').then(
      late => {
        this._late = late;
        if (!this.isDisposed) {
          this._follow();
        }
      },
      (error: unknown) => {
        console.warn('jupyter-einfra: it cannot be told what does not run.', error);
      }
    );
  }

  private _frame: HTMLIFrameElement | null = null;
  private _icon: string | null = null;
  private _late: typeof Late | null = null;
  private readonly _life = new PageLife();
  private _shown: IShown;
  private _strip: HTMLElement | null = null;
  private _view: Late.LaunchView | null = null;
  private _wantsFocus = false;
}

export namespace AppFrame {
  export interface IOptions {
    readonly shown: IShown;
    readonly model: AppsModel;
    readonly trans: TranslationBundle;

    /** Whether to wait for the user before anything is loaded. */
    readonly waits: boolean;

    /** Make an address absolute. */
    readonly address: (url: string) => string;

    /** What to do for every key and click in the program. */
    readonly onUse: () => void;

    /** What to do when the user wants it to run. */
    readonly onStart: () => void;

    /** What to do when the user wants to know what it printed. */
    readonly onLog: (instance: Instance) => void;
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
  const { title } = options.shown;
  tab.id = id;
  tab.toolbar.hide(); // empty, it would be a grey line
  tab.title.label = title;
  tab.title.caption = title;
  tab.title.icon = options.icon;
  tab.title.closable = true;
  return tab;
}
