/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  nullTranslator,
  TranslationManager,
  type TranslationBundle
} from '@jupyterlab/translation';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { GIB } from '../testing/samples';
import { LONGEST_NAME } from './blanks';
import type { Params } from './errors';
import { EVENTS } from './events';
import { describe as say } from './messages';

/** Lab cuts a notification after so many characters. */
const LABS_MOST = 140;

const ROOT = join(import.meta.dirname, '../../..');

async function load(locale: string): Promise<TranslationBundle> {
  if (locale === 'en') {
    return nullTranslator.load('jupyter_einfra');
  }
  // All that Lab's translation asks of a browser.
  const documentElement = { getAttribute: () => 'en' };
  vi.stubGlobal('document', { documentElement });
  const path = `jupyter_einfra/locale/${locale}/LC_MESSAGES/jupyter_einfra.json`;
  const data = {
    jupyter_einfra: JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as unknown
  };
  const connector = { fetch: () => Promise.resolve({ data, message: '' }) };
  const manager = new TranslationManager('', '', undefined, connector as never);
  await manager.fetch(locale);
  return manager.load('jupyter_einfra');
}

/** One of each month, and one of each day of this week. */
function moments(): Date[] {
  return [
    ...Array.from({ length: 12 }, (_, month) => new Date(2026, month, 28, 23, 59)),
    ...Array.from({ length: 7 }, (_, days) => new Date(2027, 0, 20 - days, 22, 58))
  ];
}

const NAME = `${'n'.repeat(5000)}.ipynb`;

/** All that any event tells of, each as long as it comes. */
const PARAMS: Params = {
  name: NAME,
  kernels: NAME,
  path: `/${NAME}`,
  file: NAME,
  signal_name: 'SIGSTKFLT',
  exit_code: 255,
  index: 15,
  hours: 36,
  seconds: 5340,
  cells: 14,
  error: 'StationIdentifierNotFoundError',
  limit_cores: 127.25,
  throttled_share: 1,
  bytes_per_second: 700 * 2 ** 20,
  used_bytes: 888.8 * GIB,
  limit_bytes: 888.8 * GIB,
  kernel_bytes: 888.8 * GIB,
  counter: 14,
  counter_limit: 15,
  estimate: 1,
  metric: 'cpu_cores',
  threshold: 0.015,
  maximum: 0.0042
};

const VARIANTS: readonly Params[] = [
  {},
  { memory_known: 0 },
  { disk: 'home', scope: 'quota' },
  { disk: 'tmp', scope: 'filesystem' },
  { estimate: 0, metric: 'gpu_busy_share' },
  { estimate: 1, metric: 'gpu_busy_share' }
];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(2027, 0, 20, 23, 0) });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe.each(['en', 'cs_CZ'])('events in %s', locale => {
  it('are not cut by Lab, however long names, figures and dates are', async () => {
    const trans = await load(locale);
    const tooLong: string[] = [];
    for (const code of Object.keys(EVENTS)) {
      for (const variant of VARIANTS) {
        for (const when of moments()) {
          const time = when.toISOString();
          const params = {
            ...PARAMS,
            ...variant,
            time,
            ended: time,
            since: time,
            end: time
          };
          const text = say({ code, message: '', params }, trans);
          expect(text, code).not.toBe('');
          if (text.length > LABS_MOST) {
            tooLong.push(`${text.length} ${code}: ${text}`);
          }
        }
      }
    }
    expect(tooLong).toEqual([]);
  });

  it('tell names up to the longest in full', async () => {
    const trans = await load(locale);
    const name = 'n'.repeat(LONGEST_NAME);
    const params = { name, time: new Date().toISOString() };
    expect(say({ code: 'kernel_died', message: '', params }, trans)).toContain(` ${name} `);
  });
});

it('has Czech prepositions that fit any number', async () => {
  const trans = await load('cs_CZ');
  const texts = [16, 50, 100].map(limit =>
    say(
      {
        code: 'memory_high',
        message: '',
        params: { used_bytes: 12.4 * GIB, limit_bytes: limit * GIB }
      },
      trans
    )
  );
  expect(texts).toEqual(
    [16, 50, 100].map(
      limit =>
        `Využito 12,4 z celkem ${limit} GiB paměti; po dosažení limitu systém ukončuje programy.`
    )
  );
});

it('has Czech times that fit any day', async () => {
  const trans = await load('cs_CZ');
  const ended = new Date(2027, 0, 20 - 7, 2, 3).toISOString();
  const wednesday = new Date(2027, 0, 20 - 1, 2, 3).toISOString();
  const said = [ended, wednesday].map(when =>
    say({ code: 'run_killed', message: '', params: { ended: when } }, trans)
  );
  expect(said.map(text => text.replace(/\s/g, ' '))).toEqual([
    expect.stringMatching(/naposledy běžel: 13\. .*2:03\.$/) as string,
    expect.stringMatching(/naposledy běžel: út 0?2:03\.$/) as string
  ]);
});
