import type { Notification, NotificationManager } from '@jupyterlab/apputils';

import { isAwaited, plan, type IChange, type ISaid, type Notice } from './model';
import type { Remembered } from '../api/remembered';

/** How long a notice stays that nobody has to act on. */
const INFO_MS = 15_000;

/** Keeps Lab's notifications in step with the notices that hold. */
export class Toaster {
  constructor(private readonly _options: Toaster.IOptions) {}

  /**
   * Show what is new, change what has changed, take down what is over.
   *
   * @param now - all that holds
   * @param told - ids of those that the user has before their eyes in another way
   */
  follow(now: readonly ISaid[], told: ReadonlySet<string>): void {
    this._now = now;
    this._told = told;
    // One tab after the other, so that only one of them shows what is new.
    this._options.exclusively(() => {
      this._step();
    });
  }

  /**
   * Take from the screen what is told in another way by now. It stays in Lab's list.
   *
   * @param ids - of notices
   */
  file(ids: Iterable<string>): void {
    this._options.exclusively(() => {
      for (const id of ids) {
        const { said, toast } = this._toasts.get(id) ?? {};
        if (said && this._options.manager.has(toast ?? '')) {
          // Lab takes none from the screen for a change of it.
          this._options.manager.dismiss(toast);
          this._put(said, false);
        }
      }
    });
  }

  private _step(): void {
    const { manager, seen } = this._options;
    const held = new Map([...this._toasts].map(([id, { said }]) => [id, said]));
    const todo = plan(held, this._now, seen.read(), this._told);
    for (const id of todo.withdraw) {
      manager.dismiss(this._toasts.get(id)?.toast);
      this._toasts.delete(id);
    }
    for (const change of todo.change) {
      this._change(change);
    }
    for (const said of todo.file) {
      this._put(said, false);
    }
    // The last one comes to lie on top.
    for (const said of [...todo.show].reverse()) {
      this._put(said, true);
    }
    if (todo.remember.size > 0) {
      seen.add(todo.remember);
    }
  }

  private _put(said: ISaid, shown: boolean): void {
    const { manager, actionsOf } = this._options;
    const toast = manager.notify(said.text, said.notice.severity, {
      autoClose: shown ? stay(said.notice) : FILED,
      actions: actionsOf(said.notice)
    });
    this._toasts.set(said.notice.id, { said, toast });
  }

  private _change({ said, worse }: IChange): void {
    const { actionsOf, isOnScreen, manager } = this._options;
    const toast = this._toasts.get(said.notice.id)?.toast ?? '';
    if (!manager.has(toast) && worse) {
      this._put(said, true);
      return;
    }
    this._toasts.set(said.notice.id, { said, toast });
    manager.update({
      id: toast,
      message: said.text,
      type: said.notice.severity,
      actions: actionsOf(said.notice),
      // Lab would show one anew that the user has closed.
      autoClose: worse || isOnScreen(toast) ? stay(said.notice) : FILED
    });
  }

  private _now: readonly ISaid[] = [];
  private _told: ReadonlySet<string> = new Set();
  private readonly _toasts = new Map<string, { said: ISaid; toast: string }>();
}

export namespace Toaster {
  export interface IOptions {
    readonly manager: Pick<NotificationManager, 'dismiss' | 'has' | 'notify' | 'update'>;
    readonly actionsOf: (notice: Notice) => Notification.IAction[];

    /** What this browser has shown. */
    readonly seen: Remembered;

    /** Whether Lab shows a notification now, and not only in its list. */
    readonly isOnScreen: (toast: string) => boolean;

    /** Do something while no other tab does it. */
    readonly exclusively: (work: () => void) => void;
  }
}

/** Lab keeps it in its list, and shows it to nobody who does not look there. */
const FILED = 0;

/** How long it stays: until it is closed or over, if something is to be done or was asked for. */
function stay(notice: Notice): number | false {
  return notice.severity === 'info' && !isAwaited(notice) && INFO_MS;
}
