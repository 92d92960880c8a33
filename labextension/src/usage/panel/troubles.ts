import type { TranslationBundle } from '@jupyterlab/translation';

import type { EinfraError } from '../../api/errors';
import type { Format } from '../../api/format';
import { describe } from '../../api/messages';
import type { IConnectionState } from '../../tokens';

/** What is known of the figures that should come. */
export interface IComing {
  readonly state: IConnectionState;

  /** Since when they are waited for. */
  readonly since: number;

  /** When the last of them came; null before the first. */
  readonly last: number | null;

  /** Whether the next is overdue. */
  readonly stale: boolean;
}

/** Why nothing new comes, in sentences; empty while all is well. */
export function troubleOf(
  { state, since, last, stale }: IComing,
  trans: TranslationBundle,
  format: Format
): string[] {
  const why = state.error ? [describe(state.error, trans)] : [];
  const time = (when: number): string => format.time(new Date(when), new Date());
  if (last === null) {
    return [trans.__('Waiting for the first figures since %1.', time(since)), ...why];
  }
  if (stale) {
    return [`${trans.__('No data since %1', time(last))}.`, ...why];
  }
  // It is not tried again soon, so there is nothing to wait for.
  return state.kind === 'refused' ? why : [];
}

/** Why there is no history, in sentences. */
export function historyTroubleOf(
  error: EinfraError | null,
  trans: TranslationBundle
): string[] {
  if (!error) {
    return [];
  }
  return error.status === 403
    ? [
        trans.__(
          'Only the owner of this server sees its history. These are the figures since you opened this panel.'
        )
      ]
    : [trans.__('The history cannot be shown.'), describe(error, trans)];
}
