import { Dialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

/** What can have the focus. */
const CONTROLS = 'a[href], button:not(:disabled), input:not(:disabled), [tabindex="0"]';

/** The parts of a dialog that the overlay draws itself. */
class Renderer extends Dialog.Renderer {
  override createHeader(): Widget {
    return hidden();
  }

  override createFooter(): Widget {
    return hidden();
  }
}

function hidden(): Widget {
  const widget = new Widget();
  widget.hide();
  return widget;
}

/** One of Lab's dialogs that fills itself as it likes. */
export class Overlay extends Dialog<void> {
  /**
   * @param body - all that it shows
   * @param label - id of the element that names it
   */
  constructor(body: Widget, label: string) {
    super({
      body: body as Dialog.IBodyWidget<void>,
      buttons: [],
      hasClose: true,
      renderer: new Renderer(),
      focusNodeSelector: `#${label}`
    });
    this.addClass('jp-EinfraActivity');
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-labelledby', label);
  }

  /** Lab's own would take Enter for its buttons, of which there are none. */
  override handleEvent(event: Event): void {
    if (!(event instanceof KeyboardEvent) || event.type !== 'keydown') {
      super.handleEvent(event);
    } else if (event.key === 'Tab') {
      this._keepFocus(event);
    } else if (event.key === 'Escape') {
      super.handleEvent(event);
    }
  }

  private _keepFocus(event: KeyboardEvent): void {
    const controls = [...this.node.querySelectorAll<HTMLElement>(CONTROLS)];
    const at = controls.indexOf(document.activeElement as HTMLElement);
    const [from, to] = event.shiftKey ? [0, -1] : [controls.length - 1, 0];
    // The heading is before all of them.
    if (at === from || (event.shiftKey && at < 0)) {
      event.preventDefault();
      controls.at(to)?.focus();
    }
  }
}

/** Wait until none of Lab's dialogs is open. */
export async function othersClosed(): Promise<void> {
  for (;;) {
    const open = Dialog.tracker.find(({ isDisposed }) => !isDisposed);
    if (!open) {
      return;
    }
    await new Promise<void>(resolve => {
      open.disposed.connect(() => {
        resolve();
      });
    });
  }
}
