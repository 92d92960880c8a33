/// <reference types="node" />
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { TranslationManager } from '@jupyterlab/translation';
import ts from 'typescript';
import { afterEach, describe, expect, it, vi } from 'vitest';

/** A catalogue as jupyterlab_server reads it: texts by msgid, metadata by ''. */
type Catalogue = Record<string, string[] | Record<string, string>>;

const ROOT = join(import.meta.dirname, '../..');
const SOURCES = join(ROOT, 'labextension/src');
const SCHEMAS = join(ROOT, 'labextension/schema');
const LOCALES = join(ROOT, 'jupyter_einfra/locale');

/** What stands between the context of a text and the text. */
const CONTEXT_END = '\u0004';

/** The forms that a catalogue must have: one, or two in the source's language. */
type Messages = Map<string, readonly string[]>;

/** The texts in calls of `trans.__`, `trans._n`, `trans._p` and `trans._np`. */
function messagesOfSource(path: string, messages: Messages): void {
  const text = readFileSync(path, 'utf8');
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      ['__', '_n', '_p', '_np'].includes(node.expression.name.text)
    ) {
      const name = node.expression.name.text;
      const count = { __: 1, _n: 2, _p: 2, _np: 3 }[name] ?? 0;
      const texts = node.arguments.slice(0, count).map(argument => {
        if (!ts.isStringLiteralLike(argument)) {
          const { line } = source.getLineAndCharacterOfPosition(argument.pos);
          throw new Error(`${path}:${line + 1}: only a literal can be translated.`);
        }
        return argument.text;
      });
      const context = name.startsWith('_p') || name === '_np' ? texts.shift() : undefined;
      const key = (context === undefined ? '' : context + CONTEXT_END) + (texts[0] ?? '');
      messages.set(key, texts);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}

/** The titles and descriptions of a settings schema. */
function messagesOfSchema(schema: object, messages: Messages): void {
  for (const [key, value] of Object.entries(schema) as [string, unknown][]) {
    if (typeof value === 'string' && ['title', 'description'].includes(key)) {
      messages.set(`schema${CONTEXT_END}${value}`, [value]);
    } else if (typeof value === 'object' && value !== null) {
      messagesOfSchema(value, messages);
    }
  }
}

function allMessages(): Messages {
  const messages: Messages = new Map();
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (/\.tsx?$/.test(name) && !/\.spec\.tsx?$/.test(name)) {
      messagesOfSource(join(SOURCES, name), messages);
    }
  }
  for (const name of readdirSync(SCHEMAS)) {
    const text = readFileSync(join(SCHEMAS, name), 'utf8');
    messagesOfSchema(JSON.parse(text) as object, messages);
  }
  return messages;
}

function placeholders(text: string): string[] {
  return [...new Set(text.match(/%\d+/g))].sort();
}

const MESSAGES = allMessages();

afterEach(() => {
  vi.unstubAllGlobals();
});

describe.each(readdirSync(LOCALES))('the catalogue %s', locale => {
  const path = join(LOCALES, locale, 'LC_MESSAGES/jupyter_einfra.json');
  const catalogue = JSON.parse(readFileSync(path, 'utf8')) as Catalogue;
  const { '': metadata, ...texts } = catalogue;
  const forms = Number(
    /nplurals=(\d+)/.exec((metadata as Record<string, string>)['plural_forms'] ?? '')?.[1]
  );

  it('has a text for everything that is said', () => {
    expect([...MESSAGES.keys()].filter(key => !(key in texts))).toEqual([]);
  });

  it('has nothing that is not said any more', () => {
    expect(Object.keys(texts).filter(key => !MESSAGES.has(key))).toEqual([]);
  });

  it('is in the order of the alphabet, so that changes are easy to read', () => {
    const keys = Object.keys(texts);
    expect(keys).toEqual([...keys].sort());
  });

  it('fills in all forms with the figures of the source', () => {
    for (const [key, sources] of MESSAGES) {
      const translated = texts[key] as string[];
      expect(translated, key).toHaveLength(sources.length === 1 ? 1 : forms);
      // A plural says all; its singular may leave the number out.
      const expected = placeholders(sources.at(-1) ?? '');
      for (const text of translated) {
        expect(text.trim(), key).not.toBe('');
        expect(placeholders(text), key).toEqual(expected);
      }
    }
  });

  it('is what Lab takes its words from', async () => {
    // All that Lab's translation asks of a browser.
    const documentElement = { getAttribute: () => 'en' };
    vi.stubGlobal('document', { documentElement });
    const connector = {
      fetch: () => Promise.resolve({ data: { jupyter_einfra: catalogue }, message: '' })
    };
    const manager = new TranslationManager('', '', undefined, connector as never);
    await manager.fetch(locale);
    const trans = manager.load('jupyter_einfra');
    expect(trans.__('Memory')).toBe((texts['Memory'] as string[])[0]);
    const cores = [1, 2, 5, 0.5].map(limit =>
      trans._n('%2 of %3 core', '%2 of %3 cores', limit, '0', limit)
    );
    expect(cores).toEqual(
      {
        cs_CZ: ['0 z 1 jádra', '0 ze 2 jader', '0 z celkem 5 jader', '0 z celkem 0.5 jádra']
      }[locale]
    );
  });
});
