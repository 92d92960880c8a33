import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { networkError } from '../api/errors';
import { describe } from '../api/messages';
import type { Requester } from '../api/request';
import type { components } from '../api/schema';
import { answerOf, DAY, lengthsUpTo, type IAnswer } from './answers';
import type { IdleWords } from './words';

type Schemas = components['schemas'];
type Extension = Schemas['IdleExtension'];
type TimeWanted = Schemas['TimeWanted'];

/** Longest reason that the server takes. */
const LONGEST_REASON = 1000;

interface IOptions {
  readonly extension: Extension;
  readonly request: Requester;
  readonly trans: TranslationBundle;
  readonly words: IdleWords;
  readonly now: () => Date;
}

/** Ask the operator for more time, and show what the answer is. */
export async function askForTime(options: IOptions): Promise<void> {
  const { request, trans } = options;
  const wanted = await askWhatFor(options);
  if (!wanted) {
    return;
  }
  try {
    const response = await request('idle/time', {
      method: 'POST',
      body: JSON.stringify(wanted)
    });
    const answer = (await response.json()) as Schemas['TimeAnswer'];
    await tell(answerOf(answer, options.now(), options.words, trans), trans);
  } catch (error) {
    const body = [describe(networkError(error), trans)];
    await tell({ title: trans.__('The request did not get through'), body }, trans);
  }
}

async function askWhatFor(options: IOptions): Promise<TimeWanted | null> {
  const { trans } = options;
  let before: TimeWanted | null = null;
  for (;;) {
    const { button, value }: Dialog.IResult<TimeWanted> = await showDialog<TimeWanted>({
      title: trans.__('Ask for more time'),
      body: new TimeForm(options, before),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Ask') })
      ],
      focusNodeSelector: before ? 'textarea' : 'select'
    });
    if (!button.accept || !value) {
      return null;
    }
    if (value.why !== '') {
      return value;
    }
    before = value; // the operator wants to know what for
  }
}

async function tell({ title, body }: IAnswer, trans: TranslationBundle): Promise<void> {
  const buttons = [Dialog.okButton({ label: trans.__('Close') })];
  await showDialog({ title, body: body.join(' '), buttons });
}

/** How long, and what for. */
class TimeForm extends Widget implements Dialog.IBodyWidget<TimeWanted> {
  constructor({ extension, trans, words }: IOptions, before: TimeWanted | null) {
    super();
    this.addClass('jp-EinfraIdle-form');
    for (const seconds of lengthsUpTo(extension.most_seconds)) {
      const chosen = seconds === (before?.seconds ?? DAY);
      const text = words.format.duration(seconds);
      this._length.append(new Option(text, String(seconds), chosen, chosen));
    }
    this._why.rows = 3;
    this._why.maxLength = LONGEST_REASON;
    this._why.required = true;
    this._why.value = before?.why ?? '';
    if (extension.text !== '') {
      this.node.append(paragraph(words.quoted(extension.text)));
    }
    this.node.append(
      labelled(trans.__('How long'), this._length),
      labelled(trans.__('What for'), this._why)
    );
    const hint = paragraph(
      before
        ? trans.__('Write what you need the server for: the operator reads it.')
        : trans.__('The operator reads what you write.')
    );
    hint.setAttribute('role', before ? 'alert' : 'note');
    this.node.append(hint);
  }

  getValue(): TimeWanted {
    return { seconds: Number(this._length.value), why: this._why.value.trim() };
  }

  private readonly _length = document.createElement('select');
  private readonly _why = document.createElement('textarea');
}

function labelled(text: string, control: HTMLElement): HTMLLabelElement {
  const label = document.createElement('label');
  label.append(text, control);
  return label;
}

function paragraph(text: string): HTMLParagraphElement {
  const made = document.createElement('p');
  made.textContent = text;
  return made;
}
