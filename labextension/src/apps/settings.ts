/** What the user can set, as in `schema/apps.json`. */
export interface IAppsSettings {
  readonly show: boolean;

  /** Where an application opens: beside notebooks, or with all of a window to itself. */
  readonly openIn: 'lab' | 'browser';
}

/** What holds where there is no settings registry; `schema/apps.json` says the same. */
export const DEFAULT_SETTINGS: IAppsSettings = { show: true, openIn: 'lab' };
