import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { EinfraError, type Params } from '../../api/errors';
import { Format } from '../../api/format';
import { instance } from '../../testing/apps';
import {
  launchForGuest,
  launchForTab,
  launchOf,
  type ILaunch,
  type Instance,
  type Purpose
} from './model';

const trans = nullTranslator.load('jupyter_einfra');
const format = new Format(trans, 'en');

function reason(code: string, params: Params = {}): Instance['reason'] {
  return { code, message: `Message of ${code}.`, params: { name: 'VS Code', ...params } };
}

function launch(
  change: Partial<Instance>,
  elapsed: number | null = null,
  purpose: Purpose = 'launch',
  error: EinfraError | null = null,
  keeps = false
): ILaunch {
  return launchOf(instance(change), elapsed, purpose, error, trans, format, keeps);
}

describe('a start', () => {
  it('tells how long it takes beside the last one', () => {
    const told = launch({ state: 'starting', last_start_seconds: 4 }, 1.234);
    expect(told).toMatchObject({
      heading: 'Starting VS Code',
      isBusy: true,
      elapsed: '1.2 s',
      before: '4.0 s last time',
      acts: ['stop']
    });
    expect(told.progress).toBeCloseTo(0.31);
  });

  it('never seems to be over before it is', () => {
    expect(launch({ state: 'starting', last_start_seconds: 4 }, 400).progress).toBe(0.95);
  });

  it('is without a measure the first time', () => {
    const told = launch({ state: 'starting', last_start_seconds: null }, 3);
    expect(told).toMatchObject({ progress: null, before: '', detail: '' });
    expect(launch({ state: 'starting', last_start_seconds: null }, 12).detail).toBe(
      'This can take a while the first time.'
    );
  });

  it.each([
    [9, 2, ''],
    [12, 2, 'This takes longer than last time.'],
    [12, 10, ''],
    [21, 10, 'This takes longer than last time.']
  ])('after %d s where %d were enough says “%s”', (elapsed, before, detail) => {
    expect(launch({ state: 'starting', last_start_seconds: before }, elapsed).detail).toBe(
      detail
    );
  });

  it('tells why it is not the first one', () => {
    const restarting = reason('app_restarting', { signal_name: 'SIGSEGV' });
    expect(launch({ state: 'starting', reason: restarting }, 0).detail).toBe(
      'VS Code was ended by SIGSEGV. It is being started again.'
    );
  });
});

describe('what does not run', () => {
  it('says what went wrong and offers to try again', () => {
    const failed = reason('app_start_failed', { exit_code: 3 });
    expect(launch({ state: 'failed', reason: failed })).toMatchObject({
      heading: 'VS Code could not be started',
      detail:
        'VS Code ended with exit status 3 before it was ready. Look at what it printed, then try again.',
      isFailure: true,
      acts: ['start'],
      hasMain: true
    });
    const killed = reason('app_start_failed', { signal_name: 'SIGKILL' });
    expect(launch({ state: 'failed', reason: killed }).detail).toMatch(
      /^VS Code was ended by SIGKILL before it was ready\./
    );
    expect(launch({ state: 'failed', reason: reason('app_start_failed') }).detail).toMatch(
      /^VS Code ended before it was ready; nobody saw how\./
    );
    expect(launch({ state: 'failed', reason: reason('app_failed') }).heading).toBe(
      'VS Code stopped with an error'
    );
  });

  it.each(['app_not_installed', 'app_not_executable'])(
    'does not urge anybody to try again what cannot work: %s',
    code => {
      const told = launch({ state: 'failed', reason: reason(code, { path: 'x' }) });
      expect(told).toMatchObject({ acts: ['start'], hasMain: false });
    }
  );

  it.each([
    ['app_stopped', /^You stopped it at \d+:\d\d/],
    ['app_ended', /^It ended by itself at \d+:\d\d/]
  ])('says who stopped it and when: %s', (code, detail) => {
    const since = new Date().toISOString();
    const told = launch({ state: 'stopped', since, reason: reason(code) });
    expect(told).toMatchObject({ heading: 'VS Code is stopped', acts: ['start'] });
    expect(told.detail).toMatch(detail);
  });

  it('asks first who came from elsewhere', () => {
    expect(launch({ state: 'stopped', reason: null }, null, 'ask')).toMatchObject({
      heading: 'Start VS Code?',
      detail: 'You came here from elsewhere, so it was not started by itself.',
      acts: ['start']
    });
  });

  it.each(['launch', 'watch'] as const)('just does not run, to %s', purpose => {
    expect(launch({ state: 'stopped', reason: null }, null, purpose)).toMatchObject({
      heading: 'VS Code does not run',
      detail: '',
      acts: ['start']
    });
  });

  it('is nothing that a guest can start', () => {
    const told = launchForGuest('VS Code', trans);
    expect(told.acts).toEqual([]);
    expect(told.heading).toBe('VS Code does not run');
  });
});

it('can be stopped where one only looks on', () => {
  expect(launch({}, null, 'watch').acts).toEqual(['open', 'restart', 'stop']);
  expect(launch({}).acts).toEqual(['open']);
  expect(launch({ state: 'stopping' }).acts).toEqual([]);
});

it('says what was refused, whatever the state', () => {
  const params = { name: 'VS Code', limit: 20 };
  const refused = new EinfraError({ code: 'too_many_instances', message: '', params });
  for (const state of ['stopped', 'starting', 'running', 'stopping', 'failed'] as const) {
    const told = launch({ state }, null, 'launch', refused);
    expect(told.detail).toBe(
      'VS Code already runs 20 times. Stop one that you do not need.'
    );
    expect(told.isFailure).toBe(true);
  }
});

it('keeps a name that would turn the sentence about from doing so', () => {
  const told = launch({ title: `a\u202eb${'x'.repeat(500)}` });
  expect(told.heading).not.toContain('\u202e');
  expect(told.heading.length).toBeLessThan(100);
});

describe('an application that keeps a session', () => {
  it.each([
    ['starting', 3, ['stop']],
    ['starting', 12, ['stop', 'reset']],
    ['failed', null, ['start', 'reset']],
    ['stopped', null, ['start']]
  ] as const)('that is %s for %d s offers %s', (state, elapsed, acts) => {
    expect(launch({ state }, elapsed, 'launch', null, true).acts).toEqual(acts);
    expect(launch({ state }, elapsed, 'launch', null, false).acts).not.toContain('reset');
  });

  it('tells why its stop takes a while, and how long it has taken', () => {
    const saving = reason('app_saving', { seconds: 60 });
    expect(launch({ state: 'stopping', reason: saving }, 2.5)).toMatchObject({
      heading: 'Stopping VS Code',
      detail: expect.stringMatching(/^VS Code saves what it works on/) as string,
      elapsed: '2.5 s',
      isBusy: true
    });
  });

  it('shows those who signed out the way back', () => {
    expect(launch({ state: 'running' }, null, 'left')).toMatchObject({
      heading: 'You left VS Code',
      acts: ['open', 'stop']
    });
  });
});

describe('a tab that was put back', () => {
  it('does not say that something does not run before that is known', () => {
    expect(launchForTab('VS Code', undefined, trans)).toMatchObject({
      heading: 'VS Code',
      isBusy: true,
      acts: ['open']
    });
  });

  it.each([
    [null, 'It ran when this tab was last open.', false],
    [instance({ state: 'stopped', reason: reason('app_stopped') }), /stopped/, false],
    [instance({ state: 'failed', reason: reason('app_x') }), 'Message of app_x.', true]
  ])('says why it does not run', (known, detail, isFailure) => {
    const said = launchForTab('VS Code', known, trans);
    expect(said).toMatchObject({ heading: 'VS Code does not run', acts: ['start'] });
    expect(said.detail).toMatch(detail);
    expect(said.isFailure).toBe(isFailure);
  });
});
