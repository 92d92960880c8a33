import type { TranslationBundle } from '@jupyterlab/translation';

import { say, type ICoded } from '../../api/describe';
import type { Format } from '../../api/format';
import type { components } from '../../api/schema';
import { nameOf } from './reset';
import { PAGE_WORDS } from './words';

export type Instance = components['schemas']['AppInstance'];

/** What a person can do on the page. */
export type Act = 'start' | 'stop' | 'restart' | 'reset' | 'open';

/**
 * What the page is for: to get somebody in, to ask them first, to let them look on, or to
 * show those who signed out of it the way back.
 */
export type Purpose = 'launch' | 'ask' | 'watch' | 'left';

/** What there is to say about one instance. */
export interface ILaunch {
  readonly heading: string;
  readonly detail: string;

  /** Whether something was lost. */
  readonly isFailure: boolean;

  /** How far a start has come, 0 to 1; null if that is not known or nothing starts. */
  readonly progress: number | null;

  /** Whether something is going on. */
  readonly isBusy: boolean;

  /** How long it has taken. */
  readonly elapsed: string;

  /** How long it took the last time. */
  readonly before: string;

  /** The first one is what most people want. */
  readonly acts: readonly Act[];

  /** Whether the first one is worth a try. */
  readonly hasMain: boolean;
}

/** A start that takes this much longer than the last one is worth a word. */
const LONG_FACTOR = 2;
const LONG_SECONDS = 10;

/** A bar that is full and stays so looks broken. */
const MOST_PROGRESS = 0.95;

/** What can be done where it runs and the page is not about to go there. */
const RUNNING_ACTS: Readonly<Partial<Record<Purpose, readonly Act[]>>> = {
  watch: ['open', 'restart', 'stop'],
  left: ['open', 'stop']
};

const STILL: Omit<ILaunch, 'heading' | 'detail' | 'acts'> = {
  isFailure: false,
  progress: null,
  isBusy: false,
  elapsed: '',
  before: '',
  hasMain: true
};

/** Failures of which another try changes nothing. */
const LASTING = ['app_not_installed', 'app_not_executable'];

/** Say to somebody with whom a server is shared why they see nothing of an application. */
export function launchForGuest(title: string, trans: TranslationBundle): ILaunch {
  return {
    ...STILL,
    heading: trans.__('%1 does not run', nameOf(title)),
    detail: trans.__('Only the owner of this server can start it. Ask them to.'),
    acts: []
  };
}

/**
 * Say in a tab that Lab has put back where it was why nothing is loaded into it.
 *
 * @param instance - null if it never ran on this server, undefined while that is not known
 */
export function launchForTab(
  title: string,
  instance: Instance | null | undefined,
  trans: TranslationBundle
): ILaunch {
  if (instance === undefined) {
    return {
      ...STILL,
      heading: nameOf(title),
      detail: trans.__('Waiting for the server to tell whether it runs.'),
      isBusy: true,
      acts: ['open']
    };
  }
  return {
    ...STILL,
    heading: trans.__('%1 does not run', nameOf(title)),
    detail: instance?.reason
      ? say(instance.reason, PAGE_WORDS, trans)
      : trans.__('It ran when this tab was last open.'),
    isFailure: instance?.state === 'failed',
    acts: ['start']
  };
}

/**
 * Say where an instance stands.
 *
 * @param elapsed - seconds since the start began, null while nothing starts
 * @param error - what could not be done, null if nothing was refused
 * @param keeps - whether it keeps a session that a start restores, and that can be reset
 */
export function launchOf(
  instance: Instance,
  elapsed: number | null,
  purpose: Purpose,
  error: ICoded | null,
  trans: TranslationBundle,
  format: Format,
  keeps = false
): ILaunch {
  const title = nameOf(instance.title);
  const before = instance.last_start_seconds ?? null;
  const reason = instance.reason && say(instance.reason, PAGE_WORDS, trans);
  const refusal = error && say(error, PAGE_WORDS, trans);
  const still = { ...STILL, isFailure: refusal !== null };
  switch (instance.state) {
    case 'starting':
      return {
        ...still,
        heading: trans.__('Starting %1', title),
        detail: refusal ?? reason ?? patience(elapsed, before, trans),
        progress:
          before === null || elapsed === null || before === 0
            ? null
            : Math.min(elapsed / before, MOST_PROGRESS),
        isBusy: true,
        elapsed: elapsed === null ? '' : seconds(elapsed, format),
        before: before === null ? '' : trans.__('%1 last time', seconds(before, format)),
        acts: keeps && (elapsed ?? 0) >= LONG_SECONDS ? ['stop', 'reset'] : ['stop']
      };
    case 'stopping':
      return {
        ...still,
        heading: trans.__('Stopping %1', title),
        detail: refusal ?? reason ?? '',
        isBusy: true,
        elapsed: elapsed === null ? '' : seconds(elapsed, format),
        acts: []
      };
    case 'failed':
      return {
        ...still,
        heading:
          instance.reason?.code === 'app_failed'
            ? trans.__('%1 stopped with an error', title)
            : trans.__('%1 could not be started', title),
        detail: refusal ?? reason ?? '',
        isFailure: true,
        acts: keeps ? ['start', 'reset'] : ['start'],
        hasMain: !LASTING.includes(instance.reason?.code ?? '')
      };
    case 'running':
      return {
        ...still,
        heading: runningHeading(title, purpose, trans),
        detail:
          refusal ??
          (purpose === 'left'
            ? trans.__('Your session goes on where you left it. Stop it if you are done.')
            : ''),
        acts: RUNNING_ACTS[purpose] ?? ['open']
      };
    case 'stopped':
      return {
        ...still,
        heading: stoppedHeading(title, reason, purpose, trans),
        detail:
          refusal ??
          endOf(instance, trans, format) ??
          reason ??
          (purpose === 'ask'
            ? trans.__('You came here from elsewhere, so it was not started by itself.')
            : ''),
        acts: ['start']
      };
  }
}

function runningHeading(title: string, purpose: Purpose, trans: TranslationBundle): string {
  switch (purpose) {
    case 'watch':
      return trans.__('%1 is running', title);
    case 'left':
      return trans.__('You left %1', title);
    default:
      return trans.__('%1 is ready', title);
  }
}

/** Without a reason nobody stopped it: it has not run since the server started. */
function stoppedHeading(
  title: string,
  reason: string | null,
  purpose: Purpose,
  trans: TranslationBundle
): string {
  if (reason !== null) {
    return trans.__('%1 is stopped', title);
  }
  return purpose === 'ask'
    ? trans.__('Start %1?', title)
    : trans.__('%1 does not run', title);
}

/** How and when it ended, if that is not a failure: its name is in the heading. */
function endOf(
  { reason, since }: Instance,
  trans: TranslationBundle,
  format: Format
): string | null {
  const time = format.time(new Date(since), new Date());
  switch (reason?.code) {
    case 'app_stopped':
      return trans.__('You stopped it at %1.', time);
    case 'app_ended':
      return trans.__('It ended by itself at %1.', time);
    default:
      return null;
  }
}

/** What to say while nothing is wrong and somebody waits. */
function patience(
  elapsed: number | null,
  before: number | null,
  trans: TranslationBundle
): string {
  if (elapsed === null || elapsed < LONG_SECONDS) {
    return '';
  }
  if (before !== null && elapsed < LONG_FACTOR * before) {
    return '';
  }
  return before === null
    ? trans.__('This can take a while the first time.')
    : trans.__('This takes longer than last time.');
}

/** "0.8 s" is felt, "0.83 s" is not. */
function seconds(value: number, format: Format): string {
  return value < 10 ? `${format.number(value, 1)} s` : `${format.number(value, 0)} s`;
}
