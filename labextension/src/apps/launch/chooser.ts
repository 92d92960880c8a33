import type { TranslationBundle } from '@jupyterlab/translation';

import { say } from '../../api/describe';
import { networkError } from '../../api/errors';
import type { Requester } from '../../api/request';
import type { components } from '../../api/schema';
import { PAGE_WORDS } from './words';
import { waysOf, type ILink } from './elements';
import { make, setText } from './view';

type Schemas = components['schemas'];

/** A folder that an application runs on, or ran on. */
export interface IChoice {
  readonly id: string;
  readonly folder: string;
  readonly state: Schemas['AppInstance']['state'];
}

/** Lets somebody choose the folder that an application shows. */
export class Chooser {
  constructor(private readonly _options: Chooser.IOptions) {
    const { choices, folder, icon, links, root, title, trans } = _options;
    const mark = make('div', 'icon');
    mark.setAttribute('aria-hidden', 'true');
    mark.innerHTML = icon; // a drawing that the server has checked
    const heading = make('h1', 'heading');
    heading.textContent = title;
    const detail = make('p', 'detail');
    detail.textContent = trans.__('Choose the folder that %1 shows.', title);
    const words = make('div', 'status');
    words.append(heading, detail);
    const top = make('div', 'top');
    top.append(mark, words);

    const label = make('label', 'label');
    label.textContent = trans.__('Folder');
    this._field.type = 'text';
    this._field.id = 'einfra-folder';
    this._field.autocomplete = 'off';
    this._field.spellcheck = false;
    this._field.placeholder = trans.__('runs, or /an/absolute/path');
    this._field.value = folder;
    label.htmlFor = this._field.id;
    this._button.type = 'submit';
    this._button.textContent = trans.__('Open');
    this._button.classList.add('jp-mod-first');
    const form = make('form', 'form');
    form.append(label, this._field, this._button);
    if (root !== null) {
      const hint = make('p', 'hint');
      hint.id = 'einfra-hint';
      hint.textContent = trans.__('A path that does not begin with / is below %1.', root);
      this._field.setAttribute('aria-describedby', hint.id);
      form.append(hint);
    }
    this._field.addEventListener('input', () => {
      this._trouble.hidden = true; // it is about what stood there before
    });
    form.addEventListener('submit', event => {
      event.preventDefault();
      void this._open(this._field.value);
    });
    this._trouble.setAttribute('role', 'alert');
    this._trouble.hidden = true;

    this._recent.id = 'einfra-recent';
    this._recent.textContent = trans.__('Recent folders');
    this._list.setAttribute('aria-labelledby', this._recent.id);
    const ways = waysOf(links, make);
    const bottom = make('div', 'bottom');
    bottom.append(ways);
    this.node.append(top, form, this._trouble, this._recent, this._list, bottom);
    this._show(choices);
  }

  readonly node = make('div', 'box');

  /** Let the user type. */
  focus(): void {
    this._field.focus();
    this._field.select();
  }

  private _show(choices: readonly IChoice[]): void {
    const { base, trans } = this._options;
    this._recent.hidden = this._list.hidden = choices.length === 0;
    this._list.replaceChildren(
      ...choices.map(choice => {
        const row = make('li', 'choice');
        const link = make('a', 'folder');
        link.href = `${base}${choice.id}/`;
        link.textContent = choice.folder;
        link.title = choice.folder;
        link.addEventListener('click', ({ altKey, ctrlKey, metaKey, shiftKey }) => {
          if (!altKey && !ctrlKey && !metaKey && !shiftKey) {
            this._options.onChosen(choice.id, this._titleOf(choice.folder));
          }
        });
        const state = make('span', 'state');
        state.dataset['state'] = choice.state;
        state.textContent = this._word(choice.state);
        const forget = make('button', 'forget');
        forget.type = 'button';
        forget.textContent = trans.__('Forget');
        forget.setAttribute('aria-label', trans.__('Forget %1', choice.folder));
        forget.hidden = choice.state !== 'stopped' && choice.state !== 'failed';
        forget.addEventListener('click', () => {
          void this._forget(choice, choices);
        });
        row.append(link, state, forget);
        return row;
      })
    );
  }

  /** As the server names an instance, unless another folder has the same name. */
  private _titleOf(folder: string): string {
    const name = folder.split('/').filter(Boolean).at(-1);
    return `${this._options.title}: ${name ?? folder}`;
  }

  private _word(state: IChoice['state']): string {
    const { trans } = this._options;
    switch (state) {
      case 'starting':
        return trans.__('starting');
      case 'running':
        return trans.__('running');
      case 'stopping':
        return trans.__('stopping');
      case 'failed':
        return trans.__('failed');
      case 'stopped':
        return '';
    }
  }

  private async _open(folder: string): Promise<void> {
    const { app, base, go, onChosen, trans } = this._options;
    if (folder.trim() === '') {
      this._say(trans.__('Name a folder.'));
      return;
    }
    this._button.disabled = true;
    try {
      const response = await this._options.request('apps/open', {
        method: 'POST',
        body: JSON.stringify({ app, path: folder, show: false })
      });
      const { instance, url } = (await response.json()) as Schemas['AppAddress'];
      onChosen(instance.id, instance.title);
      go(base + url);
    } catch (error) {
      this._button.disabled = false;
      this._say(say(networkError(error), PAGE_WORDS, trans));
    }
  }

  private async _forget(choice: IChoice, choices: readonly IChoice[]): Promise<void> {
    const { app, request, trans } = this._options;
    try {
      await request('apps/forget', {
        method: 'POST',
        body: JSON.stringify({ app, folder: choice.folder })
      });
      this._show(choices.filter(other => other !== choice));
      this._field.focus();
    } catch (error) {
      this._say(say(networkError(error), PAGE_WORDS, trans));
    }
  }

  private _say(trouble: string): void {
    setText(this._trouble, trouble);
    this._trouble.hidden = false;
    this._field.focus();
  }

  private readonly _button = make('button', 'act');
  private readonly _field = make('input', 'field');
  private readonly _list = make('ul', 'choices');
  private readonly _recent = make('h2', 'recent');
  private readonly _trouble = make('p', 'trouble');
}

export namespace Chooser {
  export interface IOptions {
    /** Name of the application. */
    readonly app: string;
    readonly title: string;
    readonly icon: string;
    readonly choices: readonly IChoice[];

    /** What stands in the field at first. */
    readonly folder: string;

    /** Where relative paths begin; null if that is not known. */
    readonly root: string | null;

    /** The server's base URL. */
    readonly base: string;
    readonly links: readonly ILink[];
    readonly trans: TranslationBundle;
    readonly request: Requester;

    /** What to do before the page goes to an instance. */
    readonly onChosen: (id: string, title: string) => void;

    /** Go to an address. */
    readonly go: (url: string) => void;
  }
}
