import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { beforeEach, expect, it } from 'vitest';

import { notice } from '../testing/notices';
import type { Notice } from './model';
import { NotebookNotices, type Context } from './notebook';
import { Remembered } from '../api/remembered';

const trans = nullTranslator.load('jupyter_einfra');

interface IKernel {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

interface ISession {
  readonly kernel: IKernel | null;
}

/** What Lab tells of a notebook that the test changes as it likes. */
class FakeNotebook {
  localPath = 'a.ipynb';
  readonly pathChanged = new Signal<this, string>(this);
  started: string[] = [];
  readonly sessionContext = {
    session: { kernel: this._kernel('idle') } as ISession | null,
    prevKernelName: 'python3',
    kernelChanged: new Signal<object, unknown>({}),
    sessionChanged: new Signal<object, unknown>({}),
    statusChanged: new Signal<object, unknown>({}),
    shutdown: (): Promise<void> => {
      this.sessionContext.session = null;
      return Promise.resolve();
    },
    changeKernel: ({ name }: { name: string }): Promise<void> => {
      if (this.sessionContext.session) {
        return Promise.reject(new Error('the server knows no such session'));
      }
      this.started.push(name);
      this.sessionContext.session = { kernel: this._kernel('starting', 'k2') };
      return Promise.resolve();
    }
  };

  become(status: string, id = 'k1'): void {
    this.sessionContext.session = { kernel: this._kernel(status, id) };
    this.sessionContext.statusChanged.emit(status);
  }

  private _kernel(status: string, id = 'k1'): IKernel {
    return { id, name: 'python3', status };
  }
}

const DEATH = notice('1', {
  severity: 'error',
  code: 'kernel_crashed',
  kernel_id: 'k1',
  path: 'a.ipynb',
  params: {
    name: 'a.ipynb',
    time: '2026-11-20T12:00:00Z',
    signal: 11,
    signal_name: 'SIGSEGV',
    restarted: 0
  }
});

let context: FakeNotebook;
let notices: Notice[];
let dismissed: Remembered;
let model: NotebookNotices;
let changes: number;

beforeEach(() => {
  context = new FakeNotebook();
  notices = [DEATH];
  dismissed = new Remembered(null, 'dismissed');
  model = new NotebookNotices({
    context: context as unknown as Context,
    trans,
    notices: () => notices,
    dismissed
  });
  changes = 0;
  model.stateChanged.connect(() => changes++);
});

it('says what happened, what it means and what to do', () => {
  expect(model.banners).toMatchObject([
    {
      id: '1',
      severity: 'error',
      text: expect.stringMatching(
        /^Kernel of a\.ipynb crashed \(.*, SIGSEGV\)\.$/
      ) as string,
      consequences: expect.stringMatching(
        /^It was restarted: .* Compiled libraries/
      ) as string,
      canRestart: false
    }
  ]);
});

it.each([
  ['has let go of the session', null],
  ['has let go of the kernel', { kernel: null }],
  ['knows it to be dead', undefined]
])('starts another kernel where Lab %s', async (_, session) => {
  context.become('dead');
  context.sessionContext.session =
    session === undefined ? context.sessionContext.session : session;
  model.update();
  expect(model.banners[0]?.canRestart).toBe(true);
  expect(model.banners[0]?.consequences).toContain('Restart it');
  await model.restart();
  expect(context.started).toEqual(['python3']);
  expect(model.banners).toEqual([]);
});

it('says so where that fails, until it works', async () => {
  context.become('dead');
  const { changeKernel } = context.sessionContext;
  context.sessionContext.changeKernel = () => Promise.reject(new Error('no room'));
  await model.restart();
  expect(model.banners[0]?.consequences).toBe('The kernel could not be restarted: no room');
  context.sessionContext.changeKernel = changeKernel;
  await model.restart();
  expect(model.banners).toEqual([]);
});

it('starts one kernel alone where it is asked twice', async () => {
  context.become('dead');
  const { shutdown } = context.sessionContext;
  let shutDown = (): void => undefined;
  context.sessionContext.shutdown = () =>
    new Promise(resolve => {
      shutDown = () => {
        resolve(shutdown());
      };
    });
  const first = model.restart();
  const second = model.restart();
  expect(model.banners).toMatchObject([{ canRestart: true, isRestarting: true }]);
  shutDown();
  await Promise.all([first, second]);
  expect(context.started).toEqual(['python3']);
});

it('can be asked again where it failed', async () => {
  context.become('dead');
  context.sessionContext.changeKernel = () => Promise.reject(new Error('no room'));
  await model.restart();
  expect(model.banners).toMatchObject([{ canRestart: true, isRestarting: false }]);
});

it('follows the notebook, its kernel and the notices', () => {
  context.become('idle', 'k2');
  expect(model.banners).toEqual([]);
  context.sessionContext.session = null;
  context.sessionContext.sessionChanged.emit(null);
  expect(model.banners).toHaveLength(1);
  context.localPath = 'b.ipynb';
  context.pathChanged.emit('b.ipynb');
  expect(model.banners).toEqual([]);
  context.localPath = 'a.ipynb';
  notices = [];
  model.update();
  expect(model.banners).toEqual([]);
  expect(changes).toBe(3);
});

it('makes no fuss when nothing has changed', () => {
  context.become('busy');
  model.update();
  expect(changes).toBe(0);
});

it('is dismissed for good', () => {
  model.dismiss('1');
  expect(model.banners).toEqual([]);
  expect([...dismissed.read().keys()]).toEqual(['1']);
});

it('rests once it is disposed of', () => {
  model.dispose();
  model.dispose();
  notices = [];
  context.become('dead');
  expect(changes).toBe(0);
  expect(model.isDisposed).toBe(true);
});
