import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { followSettings, type Keep } from './settings';

interface ISettings {
  readonly show: boolean;
  readonly hours: number;
}

const DEFAULTS: ISettings = { show: true, hours: 4 };

/** What a plugin hears of its settings. */
class Heard {
  readonly settings: ISettings[] = [];
  keep: Keep<ISettings> | null = null;

  readonly take = (settings: ISettings, keep: Keep<ISettings> | null): void => {
    this.settings.push(settings);
    this.keep = keep;
  };
}

/** The settings of one plugin, and a registry that has them. */
class Loaded {
  readonly changed = new Signal<this, void>(this);
  readonly kept: [string, unknown][] = [];
  readonly asked: string[] = [];

  constructor(public composite: Partial<ISettings>) {}

  set(name: string, value: unknown): Promise<void> {
    this.kept.push([name, value]);
    return Promise.resolve();
  }

  get registry(): ISettingRegistry {
    const load = (plugin: string): Promise<this> => {
      this.asked.push(plugin);
      return Promise.resolve(this);
    };
    return { load } as unknown as ISettingRegistry;
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('with a registry', () => {
  it('tells nothing before it is loaded, and then what the user has set', async () => {
    const loaded = new Loaded({ show: false });
    const heard = new Heard();
    followSettings(loaded.registry, 'plugin', DEFAULTS, heard.take);
    expect(heard.settings).toEqual([]);
    await vi.waitFor(() => {
      expect(heard.settings).toEqual([{ show: false, hours: 4 }]);
    });
    expect(loaded.asked).toEqual(['plugin']);
  });

  it('tells each change, without what is set no more', async () => {
    const loaded = new Loaded({ show: false, hours: 9 });
    const heard = new Heard();
    followSettings(loaded.registry, 'plugin', DEFAULTS, heard.take);
    await vi.waitFor(() => {
      expect(heard.settings).toHaveLength(1);
    });
    loaded.composite = { hours: 5 };
    loaded.changed.emit();
    expect(heard.settings[1]).toEqual({ show: true, hours: 5 });
  });

  it('keeps what is set by the plugin itself', async () => {
    const loaded = new Loaded({});
    const heard = new Heard();
    followSettings(loaded.registry, 'plugin', DEFAULTS, heard.take);
    await vi.waitFor(() => {
      expect(heard.keep).not.toBeNull();
    });
    await heard.keep?.('show', false);
    expect(loaded.kept).toEqual([['show', false]]);
  });
});

it('goes on with the defaults where they cannot be loaded, and says so', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  const registry = { load: () => Promise.reject(new Error('away')) };
  const heard = new Heard();
  followSettings(registry as unknown as ISettingRegistry, 'plugin', DEFAULTS, heard.take);
  await vi.waitFor(() => {
    expect(heard.settings).toEqual([DEFAULTS]);
  });
  expect(heard.keep).toBeNull();
  expect(warn).toHaveBeenCalledWith(
    'jupyter-einfra: the settings of plugin cannot be loaded.',
    expect.any(Error)
  );
});

it('has the defaults at once where there is no registry', () => {
  const heard = new Heard();
  followSettings(null, 'plugin', DEFAULTS, heard.take);
  expect(heard.settings).toEqual([DEFAULTS]);
  expect(heard.keep).toBeNull();
});
