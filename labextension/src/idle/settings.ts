/** What the user can set, as in `schema/idle.json`. */
export interface IIdleSettings {
  /** Whether the status bar tells until when the server is kept. */
  readonly show: boolean;
}

/** What holds where there is no settings registry; `schema/idle.json` says the same. */
export const DEFAULT_SETTINGS: IIdleSettings = { show: true };
