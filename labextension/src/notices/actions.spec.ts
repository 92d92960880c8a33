import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';

import { notice } from '../testing/notices';
import { Actions } from './actions';

vi.mock('@jupyterlab/apputils', () => ({ Notification: {} }));
vi.mock('@jupyterlab/services', () => ({ KernelAPI: {} }));

const execute = vi.fn(() => Promise.resolve());

function actionsOf(code: string): ReturnType<Actions['of']> {
  const commands = {
    execute,
    hasCommand: (id: string) => id.startsWith('einfra-apps:')
  };
  const actions = new Actions({
    app: { commands } as never,
    trans: nullTranslator.load('jupyter_einfra'),
    silence: vi.fn()
  });
  const params = { name: 'TensorBoard: runs' };
  return actions.of(notice('app:tensorboard/runs-1', { code, params }));
}

it('offers to start an application that has failed for good', () => {
  const [again, log] = actionsOf('app_failed');
  expect([again?.label, log?.label]).toEqual(['Try Again', 'Show Log']);
  expect(again?.caption).toBe('Start TensorBoard: runs again');
  again?.callback({} as MouseEvent);
  expect(execute).toHaveBeenLastCalledWith('einfra-apps:restart', {
    id: 'tensorboard/runs-1'
  });
});

it('does not offer what is being done already', () => {
  expect(actionsOf('app_restarting').map(({ label }) => label)).toEqual([
    'Show Log',
    'Do Not Show Again'
  ]);
});

it('does not offer to be stopped without a warning', () => {
  const labels = actionsOf('app_idle').map(({ label }) => label);
  expect(labels).not.toContain('Do Not Show Again');
});

describe('before a server is deleted', () => {
  const labels = (code: string, commands: Record<string, boolean>): string[] => {
    const registry = {
      execute,
      hasCommand: (id: string) => Object.hasOwn(commands, id),
      isEnabled: (id: string) => commands[id]
    };
    const actions = new Actions({
      app: { commands: registry } as never,
      trans: nullTranslator.load('jupyter_einfra'),
      silence: vi.fn()
    });
    const all = actions.of(notice('idle:day', { code, feature: 'idle' }));
    all[1]?.callback({} as MouseEvent);
    return all.map(({ label }) => label);
  };
  const commands = {
    'docmanager:save-all': true,
    'einfra-usage:open-panel': true,
    'einfra-idle:open': true,
    'einfra-idle:ask': false,
    'einfra-idle:stop': true
  };

  it.each(['idle_day', 'idle_hour'])('offers what helps, and never silence: %s', code => {
    expect(labels(code, commands)).toEqual(['Save All', 'Why?', 'Stop My Server…']);
    expect(execute).toHaveBeenLastCalledWith('einfra-idle:open');
    expect(labels(code, { ...commands, 'einfra-idle:ask': true })).toContain(
      'Ask for More Time…'
    );
  });

  it('can be told less while there is time', () => {
    expect(labels('idle_counted', commands)).toEqual([
      'Save All',
      'Why?',
      'Stop My Server…',
      'Do Not Show Again'
    ]);
  });

  it('offers nothing that is not there', () => {
    expect(labels('idle_day', {})).toEqual([]);
  });
});

describe('of what is done', () => {
  const labels = (asked: 0 | 1): string[] => {
    const silence = vi.fn();
    const actions = new Actions({
      app: { commands: { execute, hasCommand: () => true } } as never,
      trans: nullTranslator.load('jupyter_einfra'),
      silence
    });
    const all = actions.of(
      notice('run', {
        code: 'run_failed',
        params: { asked },
        path: 'a.ipynb',
        kernel_id: 'k'
      })
    );
    all.at(-1)?.callback({} as MouseEvent);
    expect(silence.mock.calls).toEqual(asked ? [] : [['runMinutes']]);
    return all.map(({ label }) => label);
  };

  it('there is the notebook, and silence for what nobody asked for', () => {
    expect(labels(0)).toEqual(['Open Notebook', 'Do Not Show Again']);
    expect(labels(1)).toEqual(['Open Notebook']);
  });
});
