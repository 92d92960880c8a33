/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { PageWords, type Catalogue } from './words';

const LOCALES = join(import.meta.dirname, '../../../../jupyter_einfra/locale');
const czech = JSON.parse(
  readFileSync(join(LOCALES, 'cs_CZ/LC_MESSAGES/jupyter_einfra.json'), 'utf8')
) as Catalogue;
const catalogues = { cs_CZ: czech };

it.each([
  [['cs'], 'Zrušit'],
  [['cs-CZ', 'en'], 'Zrušit'],
  [['cs_CZ'], 'Zrušit'],
  [['de', 'fr', 'cs'], 'Zrušit'],
  [['en', 'cs'], 'Cancel'],
  [['en-GB', 'cs'], 'Cancel'],
  [['de'], 'Cancel'],
  [[], 'Cancel']
])('speaks to somebody who reads %s', (languages, word) => {
  expect(new PageWords(catalogues, languages).__('Cancel')).toBe(word);
});

it('fills the blanks, and leaves those that it cannot', () => {
  const words = new PageWords({}, []);
  expect(words.__('%2 of %1, %3', 7, 'x')).toBe('x of 7, %3');
  expect(words.__('Starting %1', '%1 $& <b>')).toBe('Starting %1 $& <b>');
});

it.each([1, 2, 5, 0.5])('takes the form that goes with %d, as Lab does', count => {
  const words = new PageWords(catalogues, ['cs']);
  const forms = [
    '0 z 1 jádra',
    '0 ze 2 jader',
    '0 z celkem 5 jader',
    '0 z celkem 0.5 jádra'
  ];
  expect(words._n('%2 of %3 core', '%2 of %3 cores', count, '0', count)).toBe(
    forms[[1, 2, 5, 0.5].indexOf(count)]
  );
  const english = new PageWords({}, []);
  expect(english._n('%1 page', '%1 pages', count)).toBe(
    count === 1 ? '1 page' : `${count} pages`
  );
});

it('has contexts, as Lab has', () => {
  const words = new PageWords({ cs_CZ: { 'menu\u0004Open': ['Otevřít'] } }, ['cs']);
  expect(words._p('menu', 'Open')).toBe('Otevřít');
  expect(words._p('verb', 'Open')).toBe('Open');
  expect(words.getLocale()).toBe('cs-CZ');
});
