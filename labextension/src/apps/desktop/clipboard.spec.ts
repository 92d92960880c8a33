import { describe, expect, it } from 'vitest';

import { PageWords } from '../launch/words';
import { Clipboard, isTooLong, MOST_BYTES } from './clipboard';

class Setting {
  constructor({ hasBrowser = true, isGranted = true } = {}) {
    this.clipboard = new Clipboard({
      trans: new PageWords({}, ['en']),
      browser: hasBrowser ? this : undefined,
      isGranted: () => Promise.resolve(isGranted),
      format: String,
      send: text => this.sent.push(text),
      onText: text => this.shown.push(text),
      tell: message => this.told.push(message)
    });
  }

  readText(): Promise<string> {
    return Promise.resolve(this.browser);
  }

  writeText(text: string): Promise<void> {
    if (!this.isWritable) {
      return Promise.reject(new Error('not now'));
    }
    this.browser = text;
    return Promise.resolve();
  }

  readonly clipboard: Clipboard;
  browser = '';
  isWritable = true;
  readonly sent: string[] = [];
  readonly shown: string[] = [];
  readonly told: string[] = [];
}

describe('Clipboard', () => {
  it('takes what was copied elsewhere, once', async () => {
    const here = new Setting();
    here.browser = 'elsewhere';
    await here.clipboard.look();
    await here.clipboard.look();
    expect(here.sent).toEqual(['elsewhere']);
    expect(here.shown).toEqual(['elsewhere']);
  });

  it('does not look where the browser would ask', async () => {
    const here = new Setting({ isGranted: false });
    here.browser = 'elsewhere';
    await here.clipboard.look();
    expect(here.sent).toEqual([]);
  });

  it('gives what was copied on the desktop to the browser, when that may be', async () => {
    const here = new Setting();
    here.isWritable = false;
    here.clipboard.take('there');
    await here.clipboard.settle();
    expect(here.browser).toBe('');
    // What it owes is newer than what the browser has.
    here.browser = 'older';
    await here.clipboard.look();
    expect(here.sent).toEqual([]);
    here.isWritable = true;
    await here.clipboard.settle();
    expect(here.browser).toBe('there');
    here.browser = 'newer';
    await here.clipboard.settle();
    expect(here.browser).toBe('newer');
  });

  it('sends nothing back that came from there', () => {
    const here = new Setting();
    here.clipboard.take('there');
    expect(here.clipboard.give('there')).toBe(true);
    expect(here.sent).toEqual([]);
    // But another desktop may not have it.
    here.clipboard.forget();
    here.clipboard.give('there');
    expect(here.sent).toEqual(['there']);
  });

  it('refuses what is too long, and says so to who asked for it', async () => {
    const here = new Setting();
    const long = 'x'.repeat(MOST_BYTES + 1);
    expect(here.clipboard.give(long)).toBe(false);
    here.clipboard.take(long);
    expect(here.told).toHaveLength(2);
    expect(here.told[0]).toContain(`${MOST_BYTES + 1} of at most ${MOST_BYTES}`);
    here.browser = long;
    await here.clipboard.look();
    expect(here.told).toHaveLength(2);
    expect(here.sent).toEqual([]);
    expect(here.shown).toEqual([]);
  });

  it('does without a browser that has no clipboard', async () => {
    const here = new Setting({ hasBrowser: false });
    here.clipboard.take('there');
    await here.clipboard.settle();
    await here.clipboard.look();
    expect(here.shown).toEqual(['there']);
  });
});

describe('isTooLong', () => {
  it('counts bytes, not letters', () => {
    expect(isTooLong('x'.repeat(MOST_BYTES))).toBe(false);
    expect(isTooLong('x'.repeat(MOST_BYTES + 1))).toBe(true);
    expect(isTooLong('ř'.repeat(MOST_BYTES / 2))).toBe(false);
    expect(isTooLong('ř'.repeat(MOST_BYTES / 2 + 1))).toBe(true);
  });
});
