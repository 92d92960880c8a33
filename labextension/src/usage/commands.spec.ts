import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { expect, it, vi } from 'vitest';

import { addCommands, CommandIDs } from './commands';
import type { UsageModel } from './model';
import { DEFAULT_SETTINGS } from './settings';

it('has Lab look at its commands only when one of them reads otherwise', () => {
  const notify = vi.fn();
  const app = { commands: { addCommand: vi.fn(), notifyCommandChanged: notify } };
  const played = { view: { kind: 'live' }, settings: DEFAULT_SETTINGS };
  const stateChanged = new Signal<object, void>(played);
  addCommands({
    app: app as never,
    model: Object.assign(played, { stateChanged }) as unknown as UsageModel,
    trans: nullTranslator.load('jupyter_einfra'),
    palette: null,
    setShown: () => Promise.resolve(),
    openPopup: () => undefined
  });
  stateChanged.emit();
  stateChanged.emit();
  expect(notify).not.toHaveBeenCalled();
  played.view = { kind: 'hidden' };
  stateChanged.emit();
  stateChanged.emit();
  expect(notify.mock.calls).toEqual([[CommandIDs.show]]);
  played.settings = { ...DEFAULT_SETTINGS, show: false };
  stateChanged.emit();
  expect(notify.mock.calls).toEqual([[CommandIDs.show], [CommandIDs.toggle]]);
});
