import type { components } from '../api/schema';
import { kindOf, type INoticesSettings } from './settings';

export type Notice = components['schemas']['Notice'];

/** A notice in the user's language. */
export interface ISaid {
  readonly notice: Notice;
  readonly text: string;
}

/** A change to a notification that this page has put up. */
export interface IChange {
  readonly said: ISaid;

  /** Whether it weighs more than it ever did, and so is worth to be seen again. */
  readonly worse: boolean;
}

/** What is to be done so that the page says what holds now. */
export interface IPlan {
  /** To be shown, the most pressing first. */
  readonly show: readonly ISaid[];

  /** To be kept where it can be looked up, without showing it. */
  readonly file: readonly ISaid[];

  readonly change: readonly IChange[];

  /** Ids of those that are over. */
  readonly withdraw: readonly string[];

  /** Ids that this browser has shown from now on, and how much they weighed. */
  readonly remember: ReadonlyMap<string, number>;
}

/** More toasts at once than this hide the page; the others wait in Lab's list. */
export const MOST_SHOWN = 3;

/** More banners than this hide the notebook. */
export const MOST_BANNERS = 3;

/** How much a notice weighs: more for a worse one. */
export function weight({ severity }: Notice): number {
  return { info: 1, warning: 2, error: 3 }[severity];
}

/** The notices that the user wants to know of. */
export function wanted(
  notices: readonly Notice[],
  settings: INoticesSettings
): readonly Notice[] {
  return notices.filter(notice => {
    const kind = kindOf(notice.code);
    const { runMinutes: minutes, show } = settings;
    if (kind === 'runMinutes') {
      const isLong = minutes > 0 && Number(notice.params['seconds']) >= 60 * minutes;
      return show && (isAwaited(notice) || isLong);
    }
    return show && (kind === null || settings[kind]);
  });
}

/** Whether it tells that something is done which ran. */
export function isDone({ code }: Notice): boolean {
  return kindOf(code) === 'runMinutes';
}

/** Whether it is what the user asked to be told. */
export function isAwaited(notice: Notice): boolean {
  return isDone(notice) && notice.params['asked'] === 1;
}

/** What the user reads in another place, of what came up to a moment. */
export interface ITold {
  /** Ids of the kernels whose deaths are told there. */
  readonly deaths: readonly string[];

  /** Ids of the kernels of which it is told there that they are done. */
  readonly runs: readonly string[];

  /** RFC 3339 UTC. */
  readonly until: string;
}

/** Whether a notice says what is told in another place already. */
export function isTold(notice: Notice, { deaths, runs, until }: ITold): boolean {
  // That a notebook will not be done is told where its kernel's death is.
  const isDeath = isKernelDeath(notice) || notice.code === 'run_died';
  const kernels = isDeath ? deaths : isDone(notice) ? runs : [];
  return (
    kernels.includes(notice.kernel_id ?? '') && Date.parse(notice.time) <= Date.parse(until)
  );
}

/**
 * Compare what this page has put up with what holds now.
 *
 * @param held - what this page has put up, by id
 * @param now - what holds, in words
 * @param seen - what this browser has shown before, by id, and how much it weighed
 * @param told - ids of those that the user has before their eyes in another way
 */
export function plan(
  held: ReadonlyMap<string, ISaid>,
  now: readonly ISaid[],
  seen: ReadonlyMap<string, number>,
  told: ReadonlySet<string> = new Set()
): IPlan {
  const ids = new Set(now.map(({ notice }) => notice.id));
  const isWorse = ({ notice }: ISaid): boolean =>
    weight(notice) > (seen.get(notice.id) ?? 0);
  const fresh = now.filter(said => !held.has(said.notice.id) && isWorse(said));
  const untold = fresh.filter(({ notice }) => !told.has(notice.id));
  const show = [...untold].sort(byUrgency).slice(0, MOST_SHOWN);
  const change = now
    .filter(said => isChanged(held.get(said.notice.id), said))
    .map(said => ({ said, worse: isWorse(said) }));
  return {
    show,
    file: fresh.filter(said => !show.includes(said)),
    change,
    withdraw: [...held.keys()].filter(id => !ids.has(id)),
    remember: new Map(
      now.filter(isWorse).map(({ notice }) => [notice.id, weight(notice)] as const)
    )
  };
}

/** The notebook that a banner would be on. */
export interface INotebook {
  readonly path: string;

  /** Its kernel, null where it has none. */
  readonly kernelId: string | null;
}

/** What a notebook is to be told, the latest first. */
export function bannersOf(
  notebook: INotebook,
  notices: readonly Notice[],
  dismissed: ReadonlyMap<string, number>
): readonly Notice[] {
  return notices
    .filter(notice => !dismissed.has(notice.id) && explains(notice, notebook))
    .sort((a, b) => b.time.localeCompare(a.time))
    .slice(0, MOST_BANNERS);
}

/** Whether it says why the notebook's kernel died. */
function explains(notice: Notice, { path, kernelId }: INotebook): boolean {
  if (kindOf(notice.code) === 'showPreviousRun') {
    return ranIn(notice, path);
  }
  if (!isKernelDeath(notice)) {
    return false;
  }
  // Another kernel than the one that died means that the user has gone on.
  return kernelId === null || notice.kernel_id === null
    ? notice.path === path
    : notice.kernel_id === kernelId;
}

/** Whether it tells of the end of a single kernel. */
export function isKernelDeath({ code }: Notice): boolean {
  return code.startsWith('kernel_');
}

/** Whether the notebook's kernel ran when the last run of the server was killed. */
function ranIn({ params }: Notice, path: string): boolean {
  return String(params['paths'] ?? '')
    .split('\n')
    .includes(path);
}

function isChanged(before: ISaid | undefined, said: ISaid): boolean {
  return (
    before !== undefined &&
    (before.text !== said.text || before.notice.severity !== said.notice.severity)
  );
}

/** The worst first, then the latest. */
function byUrgency(a: ISaid, b: ISaid): number {
  return weight(b.notice) - weight(a.notice) || b.notice.time.localeCompare(a.notice.time);
}
