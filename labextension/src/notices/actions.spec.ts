import { nullTranslator } from '@jupyterlab/translation';
import { expect, it, vi } from 'vitest';

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
