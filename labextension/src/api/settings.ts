import type { ISettingRegistry } from '@jupyterlab/settingregistry';

/** Keeps a setting, as its user would in Lab's settings. */
export type Keep<T> = <K extends keyof T & string>(
  name: K,
  value: T[K] & (boolean | number)
) => Promise<void>;

/**
 * Follow what the user has set for a plugin.
 *
 * Nothing is told while it is loaded: not a glimpse for a user who has switched it off.
 *
 * @param plugin - its id
 * @param defaults - what holds where nothing can be set, or what is set cannot be loaded
 * @param take - called with what holds, and again after each change; with null where nothing
 *   can be kept
 */
export function followSettings<T extends object>(
  registry: ISettingRegistry | null,
  plugin: string,
  defaults: T,
  take: (settings: T, keep: Keep<T> | null) => void
): void {
  if (registry === null) {
    take(defaults, null);
    return;
  }
  registry.load(plugin).then(
    loaded => {
      const read = (): void => {
        take({ ...defaults, ...(loaded.composite as Partial<T>) }, (name, value) =>
          loaded.set(name, value)
        );
      };
      loaded.changed.connect(read);
      read();
    },
    (error: unknown) => {
      console.warn(`jupyter-einfra: the settings of ${plugin} cannot be loaded.`, error);
      take(defaults, null);
    }
  );
}
