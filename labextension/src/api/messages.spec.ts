import { nullTranslator } from '@jupyterlab/translation';
import { expect, it } from 'vitest';

import { describe as say } from './messages';

const trans = nullTranslator.load('jupyter_einfra');

it('fills the figures of a known code in', () => {
  const coded = {
    code: 'gpu_unreadable',
    message: '',
    params: { error: 'it is busy' }
  };
  expect(say(coded, trans)).toBe('This GPU cannot be read: it is busy');
});

it('counts', () => {
  const notAnswering = (seconds: number): string =>
    say({ code: 'nvml_not_answering', message: '', params: { seconds } }, trans);
  expect(notAnswering(1)).toMatch(/ for 1 second\./);
  expect(notAnswering(41.7)).toMatch(/ for 42 seconds\./);
});

it.each(['from_the_future', 'toString', 'constructor'])(
  'falls back on the English message for %s',
  code => {
    const message = 'What a newer server says.';
    expect(say({ code, message, params: {} }, trans)).toBe(message);
  }
);
