import type { NotificationManager } from '@jupyterlab/apputils';
import { beforeEach, expect, it } from 'vitest';

import { notice } from '../testing/notices';
import type { ISaid, Notice } from './model';
import { Remembered } from '../api/remembered';
import { Toaster } from './toaster';

type Manager = Toaster.IOptions['manager'];
type Options = Parameters<NotificationManager['notify']>[2];

interface IToast {
  readonly message: string;
  readonly type: string;
  readonly autoClose: Options['autoClose'];
}

/** Lab's list of notifications, and which of them are on the screen. */
class FakeManager implements Manager {
  readonly toasts = new Map<string, IToast>();
  readonly onScreen = new Set<string>();
  shown = 0;

  notify(message: string, type: string, options: Options): string {
    const id = `toast-${++this.shown}`;
    this._put(id, { message, type, autoClose: options.autoClose });
    return id;
  }

  update({
    id,
    message = '',
    type = '',
    autoClose
  }: { id: string } & Partial<IToast>): boolean {
    if (this.has(id)) {
      this._put(id, { message, type, autoClose });
    }
    return this.has(id);
  }

  has(id: string): boolean {
    return this.toasts.has(id);
  }

  dismiss(id?: string): void {
    this.toasts.delete(id ?? '');
    this.onScreen.delete(id ?? '');
  }

  private _put(id: string, toast: IToast): void {
    this.toasts.set(id, toast);
    if (toast.autoClose !== 0) {
      this.onScreen.add(id);
    }
  }
}

let manager: FakeManager;
let toaster: Toaster;

beforeEach(() => {
  manager = new FakeManager();
  toaster = tab(new Remembered(null, 'seen'));
});

function tab(
  seen: Remembered,
  exclusively = (work: () => void): void => {
    work();
  }
): Toaster {
  return new Toaster({
    manager,
    seen,
    actionsOf: () => [],
    isOnScreen: toast => manager.onScreen.has(toast),
    exclusively
  });
}

function said(text: string, change: Partial<Notice> = {}): ISaid {
  return { text, notice: notice('1', change) };
}

function follow(...now: ISaid[]): void {
  toaster.follow(now, new Set());
}

function messages(): string[] {
  return [...manager.toasts.values()].map(({ message }) => message);
}

it('keeps one notification in step with its notice', () => {
  follow(said('14 GiB'));
  follow(said('15 GiB'));
  expect(messages()).toEqual(['15 GiB']);
  expect(manager.shown).toBe(1);
  follow();
  expect(messages()).toEqual([]);
});

it('lets only information go away by itself', () => {
  toaster.follow(
    [said('A warning.'), { text: 'News.', notice: notice('2', { severity: 'info' }) }],
    new Set()
  );
  const stay = Object.fromEntries(
    [...manager.toasts.values()].map(({ type, autoClose }) => [type, autoClose])
  );
  expect(stay).toEqual({ warning: false, info: 15_000 });
});

it('does not bring back what the user has closed, but keeps the list right', () => {
  follow(said('14 GiB'));
  manager.onScreen.clear();
  follow(said('15 GiB'));
  expect(messages()).toEqual(['15 GiB']);
  expect(manager.onScreen.size).toBe(0);
});

it('brings it back when it gets worse', () => {
  follow(said('14 GiB'));
  manager.onScreen.clear();
  follow(said('15.8 GiB', { severity: 'error' }));
  expect(manager.onScreen.size).toBe(1);
  expect(manager.toasts.size).toBe(1);
});

it('shows one anew that was dismissed, only when it gets worse', () => {
  follow(said('14 GiB'));
  manager.dismiss('toast-1');
  follow(said('15 GiB'));
  expect(messages()).toEqual([]);
  follow(said('15.8 GiB', { severity: 'error' }));
  expect(messages()).toEqual(['15.8 GiB']);
  follow();
  expect(messages()).toEqual([]);
});

it('files what the user has before their eyes', () => {
  toaster.follow([said('On the notebook.')], new Set(['1']));
  expect(messages()).toEqual(['On the notebook.']);
  expect(manager.onScreen.size).toBe(0);
});

it('files what is told in another way by now, and nothing that was dismissed', () => {
  toaster.follow([said('A death.'), { text: 'Other.', notice: notice('2') }], new Set());
  toaster.file(['1', 'unknown']);
  expect(messages()).toEqual(['Other.', 'A death.']);
  expect([...manager.onScreen].map(id => manager.toasts.get(id)?.message)).toEqual([
    'Other.'
  ]);
  follow(said('A death, explained.'));
  expect(messages()).toEqual(['A death, explained.']);
  expect(manager.onScreen.size).toBe(0);
  manager.dismiss('toast-3');
  toaster.file(['1']);
  expect(messages()).toEqual([]);
});

it('shows a notice in one tab alone, and the latest state once its turn comes', () => {
  const waiting: (() => void)[] = [];
  const seen = new Remembered(null, 'seen');
  const queue = (work: () => void): void => void waiting.push(work);
  const tabs = [tab(seen, queue), tab(seen, queue)];
  for (const one of tabs) {
    one.follow([said('14 GiB')], new Set());
    one.follow([said('15 GiB')], new Set());
  }
  for (const work of waiting) {
    work();
  }
  expect(messages()).toEqual(['15 GiB']);
});
