/** What the user can set, as in `schema/activity.json`. */
export interface IActivitySettings {
  /** Whether the overlay opens by itself. */
  readonly show: boolean;

  /** After how many hours away it does. */
  readonly awayHours: number;

  /** Whether it does earlier, too, when something needs attention. */
  readonly attention: boolean;
}

/** What holds where there is no settings registry; `schema/activity.json` says the same. */
export const DEFAULT_SETTINGS: IActivitySettings = {
  show: true,
  awayHours: 4,
  attention: true
};
