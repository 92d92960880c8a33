/** What the user can set, as in `schema/usage.json`. */
export interface IUsageSettings {
  readonly show: boolean;
  readonly showCpu: boolean;
  readonly showMemory: boolean;
  readonly showGpu: boolean;

  /** Whether the panel has an icon at the side. */
  readonly showPanel: boolean;

  /** Percentage of the limit from which the item warns; 0 is never. */
  readonly warnCpuPercent: number;
  readonly warnMemoryPercent: number;
  readonly warnGpuPercent: number;
}

/** What holds where there is no settings registry; `schema/usage.json` says the same. */
export const DEFAULT_SETTINGS: IUsageSettings = {
  show: true,
  showCpu: true,
  showMemory: true,
  showGpu: true,
  showPanel: true,
  warnCpuPercent: 0,
  warnMemoryPercent: 80,
  warnGpuPercent: 0
};
