import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { watch } from './watch';

/** As much of a window as is looked at: what listens, what is in it, and what has the focus. */
class FakeWindow extends EventTarget {
  [index: number]: FakeWindow;

  constructor(...frames: FakeWindow[]) {
    super();
    frames.forEach((frame, i) => (this[i] = frame));
    this.length = frames.length;
    this.document = {
      activeElement: null as { contentWindow: FakeWindow } | null,
      hasFocus: () => this.hasFocus,
      defaultView: { navigator: { userActivation: { isActive: false } } }
    };
  }

  override addEventListener(...given: Parameters<EventTarget['addEventListener']>): void {
    this.added.set(given[0], given[1]);
    super.addEventListener(...given);
  }

  /** Do something in it, as a person or as a script. */
  do(type: string, isTrusted = true): void {
    const listener = this.added.get(type) as ((event: object) => void) | undefined;
    listener?.({ isTrusted });
  }

  readonly added = new Map<string, unknown>();
  document: Record<string, unknown> & { activeElement: unknown };
  hasFocus = true;
  length: number;
}

/** A window of another site. */
class Foreign extends FakeWindow {
  constructor() {
    super();
    Object.defineProperty(this, 'document', {
      get: () => {
        throw new DOMException('no', 'SecurityError');
      }
    });
  }
}

let uses: number;
let stop: () => void;

function begin(page: FakeWindow | null, above: FakeWindow | null = null): void {
  const shown = page as unknown as Window | null;
  const around = (above?.document ?? null) as unknown as Document | null;
  stop = watch(
    () => shown,
    around,
    () => uses++
  );
}

function activate(page: FakeWindow, isActive = true): void {
  page.document['defaultView'] = { navigator: { userActivation: { isActive } } };
}

beforeEach(() => {
  vi.useFakeTimers();
  uses = 0;
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

it('counts what a person does, and nothing else', () => {
  const page = new FakeWindow();
  begin(page);
  for (const type of ['keydown', 'pointerdown', 'wheel', 'touchmove', 'input', 'paste']) {
    page.do(type);
  }
  expect(uses).toBe(6);
  page.do('keydown', false);
  for (const type of ['mousemove', 'pointermove', 'scroll', 'focus', 'load']) {
    page.do(type);
  }
  expect(uses).toBe(6);
});

it('counts in frames of frames, also in those that come later', () => {
  const inner = new FakeWindow();
  const outer = new FakeWindow(inner);
  const page = new FakeWindow();
  begin(page);
  [page[0], page.length] = [outer, 1];
  inner.do('keydown');
  expect(uses).toBe(0);
  vi.advanceTimersByTime(1000);
  inner.do('keydown');
  expect(uses).toBe(1);
});

it('listens again where a document that was written anew has lost it', () => {
  const page = new FakeWindow();
  begin(page);
  page.added.clear();
  vi.advanceTimersByTime(1000);
  page.do('keydown');
  expect(uses).toBe(1);
});

it('takes a frame of another site for used if it has the focus when something is done', () => {
  const foreign = new Foreign();
  const page = new FakeWindow(foreign);
  begin(page);
  activate(page);
  vi.advanceTimersByTime(1000);
  expect(uses).toBe(0); // something was done, elsewhere
  page.document.activeElement = { contentWindow: foreign };
  activate(page, false);
  vi.advanceTimersByTime(1000);
  expect(uses).toBe(0); // it has the focus, and nobody is there
  activate(page);
  page.hasFocus = false;
  vi.advanceTimersByTime(1000);
  expect(uses).toBe(0); // somebody does something around the page
  page.hasFocus = true;
  vi.advanceTimersByTime(1000);
  expect(uses).toBe(1);
  expect(foreign.added.size).toBe(0);
});

it('takes a page of another site so as well, by what is around it', () => {
  const [page, lab] = [new Foreign(), new FakeWindow()];
  begin(page, lab);
  lab.document.activeElement = { contentWindow: page };
  activate(lab);
  vi.advanceTimersByTime(1000);
  expect(uses).toBe(1);
});

it('does without what older browsers lack, and without a page', () => {
  const page = new FakeWindow(new Foreign());
  page.document.activeElement = { contentWindow: page[0] };
  page.document['defaultView'] = { navigator: {} };
  begin(page);
  vi.advanceTimersByTime(1000);
  stop();
  begin(null);
  vi.advanceTimersByTime(1000);
  expect(uses).toBe(0);
});
