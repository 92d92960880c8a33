import { Dialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { KernelAPI } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { beforeEach, expect, it, vi } from 'vitest';

import { Acts, type Target } from './acts';

vi.mock('@jupyterlab/apputils', () => ({
  Dialog: { cancelButton: vi.fn(), warnButton: vi.fn() },
  showDialog: vi.fn(),
  showErrorMessage: vi.fn()
}));
vi.mock('@jupyterlab/services', () => ({
  KernelAPI: { restartKernel: vi.fn(), interruptKernel: vi.fn() }
}));

const KERNEL: Target = { kind: 'kernel', id: 'k1', name: 'a.ipynb', path: 'a.ipynb' };
const restartKernel = vi.fn(() => Promise.resolve());
const execute = vi.fn(() => Promise.resolve());

function acts(...open: string[]): Acts {
  const widgets = open.map(id => ({
    sessionContext: { session: { kernel: { id } }, restartKernel }
  }));
  const app = {
    commands: { execute },
    shell: { widgets: () => widgets },
    serviceManager: {}
  };
  return new Acts(app as never, nullTranslator.load('jupyter_einfra'));
}

beforeEach(() => {
  vi.clearAllMocks();
  vi.mocked(showDialog).mockResolvedValue({ button: { accept: true } } as never);
});

it('restarts the kernel of an open notebook through the notebook', async () => {
  await acts('k0', 'k1').restart(KERNEL);
  expect(restartKernel).toHaveBeenCalledOnce();
  expect(KernelAPI.restartKernel).not.toHaveBeenCalled();
});

it('restarts the kernel of a closed notebook through the server', async () => {
  await acts('k0').restart(KERNEL);
  expect(restartKernel).not.toHaveBeenCalled();
  expect(KernelAPI.restartKernel).toHaveBeenCalledWith('k1', undefined);
});

it('does nothing before the user agrees', async () => {
  vi.mocked(showDialog).mockResolvedValue({ button: { accept: false } } as never);
  await acts('k1').restart(KERNEL);
  expect(restartKernel).not.toHaveBeenCalled();
});

it('says why it failed', async () => {
  restartKernel.mockRejectedValueOnce(new Error('no'));
  await acts('k1').restart(KERNEL);
  expect(showErrorMessage).toHaveBeenCalledWith('That did not work', new Error('no'));
});

it('asks about odd names in plain words', async () => {
  await acts().restart({ ...KERNEL, name: `\u202e${'x'.repeat(200)}.ipynb` });
  const title = vi.mocked(showDialog).mock.calls[0]?.[0]?.title as string;
  expect(title).not.toContain('\u202e');
  expect(title.length).toBeLessThan(60);
  expect(Dialog.warnButton).toHaveBeenCalledWith({ label: 'Restart' });
});

it('leaves an application to those who look after it', async () => {
  const target: Target = { kind: 'app', id: 'vscode', name: 'VS Code', path: null };
  const offered = acts().of(target);
  expect(offered.map(({ label }) => label)).toEqual([
    'Open',
    'Show Log',
    'Restart',
    'Stop'
  ]);
  for (const act of offered) {
    await act.execute();
  }
  expect(execute.mock.calls).toEqual(
    ['show', 'log', 'restart', 'stop'].map(act => [`einfra-apps:${act}`, { id: 'vscode' }])
  );
});
