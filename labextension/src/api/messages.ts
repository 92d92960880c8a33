import type { TranslationBundle } from '@jupyterlab/translation';

import { APPLICATIONS } from './applications';
import { say, type ICoded, type Words } from './describe';
import { EVENTS } from './events';
import { REASONS } from './reasons';
import { REPLIES } from './replies';

export type { ICoded } from './describe';

/**
 * The text of every reason and error, by its stable code.
 *
 * Say what happened and what to do next.
 */
const MESSAGES: Words = {
  ...REASONS,
  ...EVENTS,
  ...APPLICATIONS,
  ...REPLIES,

  // features and topics
  feature_off: (trans, { feature }) =>
    trans.__('The operator switched the feature “%1” off.', feature),
  feature_failed: (trans, { feature }) =>
    trans.__('The feature “%1” could not start. The log of the server tells why.', feature),
  unknown_topic: (trans, { topic }) =>
    trans.__('This server has no topic “%1”. Reload the page after an update.', topic)
};

/** Say it in the user's language, or in English if this page does not know the code. */
export function describe(coded: ICoded, trans: TranslationBundle): string {
  return say(coded, MESSAGES, trans);
}
