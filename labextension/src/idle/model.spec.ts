import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { EinfraError } from '../api/errors';
import { Format } from '../api/format';
import { reason } from '../testing/samples';
import { hours, idleStatus, NOW } from '../testing/idle';
import { PlayedStream } from '../testing/stream';
import { IdleModel } from './model';
import { When } from '../api/when';
import { IdleWords } from './words';

const trans = nullTranslator.load('jupyter_einfra');
const words = new IdleWords(trans, new Format(trans, 'en-GB'), new When('en-GB'));

let stream: PlayedStream;
let model: IdleModel;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  stream = new PlayedStream();
  const now = (): Date => new Date();
  model = new IdleModel({ stream, trans, words, shown: true, now });
  stream.openWith('idle');
});

afterEach(() => {
  model.dispose();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it('shows nothing before the server has told, nor where it has no policy', () => {
  expect(model.view.kind).toBe('hidden');
  expect(model.isAbsent).toBe(false);
  const nothing = { level: 'unknown', policy: null, source: null, sources: [] } as const;
  stream.send(idleStatus({ ...nothing, sources: [] }));
  expect(model.view.kind).toBe('hidden');
  expect([model.hasPolicy, model.isAbsent]).toEqual([false, true]);
});

it('tells until when, whose word it is and how often it was found unused', () => {
  stream.send(idleStatus());
  expect(model.view).toEqual({
    kind: 'shown',
    level: 'kept',
    text: 'Kept at least until Fri 03:59',
    title: [
      'Yes, at least until Friday 03:59.',
      'Found unused: At most 2 of 5 (estimate)',
      'An estimate made here from the use that was seen',
      'Click for more.'
    ].join('\n'),
    stale: false
  });
  const sources = [{ name: 'file', time: hours(-1), reason: null } as const];
  stream.send(idleStatus({ source: 'file', is_estimate: false, sources }));
  expect(model.view).toMatchObject({
    text: 'Kept until Fri 03:59',
    title: expect.stringContaining('\nTold: 13:05\n') as unknown
  });
});

it('says why where nobody can tell', () => {
  const change = {
    level: 'unknown',
    source: null,
    delete_at: null,
    counter: null
  } as const;
  stream.send(idleStatus({ ...change, reason: reason('idle_history_lost') }));
  expect(model.view).toMatchObject({
    text: 'Kept until: not known',
    title: expect.stringContaining('record of the use is lost') as unknown
  });
});

it('keeps its words true as time goes on', () => {
  stream.send(
    idleStatus({
      level: 'hour',
      delete_at: hours(2 / 3),
      source: 'file',
      is_estimate: false
    })
  );
  expect(model.view).toMatchObject({ text: 'Deleted in 40 mins unless used' });
  vi.advanceTimersByTime(10 * 60_000);
  expect(model.view).toMatchObject({ text: 'Deleted in 30 mins unless used' });
  vi.advanceTimersByTime(30 * 60_000);
  expect(model.view).toMatchObject({ text: 'May be deleted at any moment' });
});

it('does not tick while nobody looks, and catches up after', () => {
  stream.send(idleStatus({ delete_at: hours(61.9) }));
  stream.become('hidden');
  vi.advanceTimersByTime(60_000);
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(60 * 3_600_000);
  stream.become('connecting');
  expect(model.view).toMatchObject({ text: 'Kept at least until 3:59' });
});

it('keeps the last word when the server is away, and says so', () => {
  stream.send(idleStatus());
  stream.become('lost', new EinfraError({ code: 'network_error', message: '' }));
  vi.advanceTimersByTime(4999);
  expect(model.view).toMatchObject({ stale: false });
  vi.advanceTimersByTime(1);
  expect(model.view).toMatchObject({
    text: 'Kept at least until Fri 03:59',
    title: expect.stringMatching(
      /^No data since 14:05\.\nThe server cannot be reached\.\n/
    ) as unknown,
    stale: true
  });
  stream.openWith('idle');
  expect(model.view).toMatchObject({ stale: true });
  stream.send(idleStatus());
  expect(model.view).toMatchObject({ stale: false });
});

it('leaves no trace where it is off or not for this user', () => {
  stream.send(idleStatus());
  stream.openWith('idle', 'off');
  expect(model.view.kind).toBe('hidden');
  expect([model.status, model.isAbsent]).toEqual([null, true]);
  stream.openWith('idle', 'on', [{ topic: 'idle', reason: reason('forbidden') }]);
  expect(model.view.kind).toBe('hidden');
});

it('hides the item, not the rest, for a user who does not want it', () => {
  stream.send(idleStatus());
  model.shown = false;
  expect(model.view.kind).toBe('hidden');
  expect(model.hasPolicy).toBe(true);
  model.shown = true;
  expect(model.view.kind).toBe('shown');
});

it('announces what gets worse, and when that is over', () => {
  const heard = new Set<string>();
  model.stateChanged.connect(({ announcement }) => void heard.add(announcement));
  stream.send(idleStatus());
  stream.send(idleStatus({ level: 'day', delete_at: hours(13) }));
  stream.send(idleStatus({ level: 'day', delete_at: hours(12) }));
  stream.send(idleStatus({ level: 'hour', delete_at: hours(0.5) }));
  stream.send(idleStatus());
  expect([...heard]).toEqual([
    '',
    'May be deleted from Wed 03:05 on',
    'May be deleted in 30 mins',
    'Kept at least until Fri 03:59'
  ]);
});

it('says so where it turns out to be off before anything was told', () => {
  const heard = vi.fn();
  model.stateChanged.connect(heard);
  stream.openWith('idle', 'off');
  expect(heard).toHaveBeenCalledOnce();
  expect(model.isAbsent).toBe(true);
});
