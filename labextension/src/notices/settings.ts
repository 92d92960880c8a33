/** What the user can set, as in `schema/notices.json`. */
export interface INoticesSettings {
  readonly show: boolean;

  /** Whether warnings are told by the browser while no page is looked at. */
  readonly browserNotifications: boolean;
  readonly showMemory: boolean;
  readonly showCpu: boolean;
  readonly showDisk: boolean;
  readonly showGpu: boolean;
  readonly showDeaths: boolean;
  readonly showPreviousRun: boolean;
  readonly showApps: boolean;
  readonly showIdle: boolean;

  /** Minutes from which the end of what ran is told without asking for it; 0 is never. */
  readonly runMinutes: number;
}

/** The setting of one kind of notices. */
export type Kind = Exclude<keyof INoticesSettings, 'show' | 'browserNotifications'>;

/** What holds where there is no settings registry; `schema/notices.json` says the same. */
export const DEFAULT_SETTINGS: INoticesSettings = {
  show: true,
  browserNotifications: false,
  showMemory: true,
  showCpu: true,
  showDisk: true,
  showGpu: true,
  showDeaths: true,
  showPreviousRun: true,
  showApps: true,
  showIdle: true,
  runMinutes: 0
};

/** How the codes of each kind begin. */
const KINDS: readonly (readonly [string, Kind])[] = [
  ['memory_', 'showMemory'],
  ['cpu_', 'showCpu'],
  ['disk_', 'showDisk'],
  ['gpu_', 'showGpu'],
  ['kernel_', 'showDeaths'],
  ['process_', 'showDeaths'],
  ['previous_run_', 'showPreviousRun'],
  ['app_', 'showApps'],
  ['idle_', 'showIdle'],
  ['run_', 'runMinutes']
];

/** The setting that switches a notice off, null for one of a kind not known here. */
export function kindOf(code: string): Kind | null {
  return KINDS.find(([beginning]) => code.startsWith(beginning))?.[1] ?? null;
}
