import type { TranslationBundle } from '@jupyterlab/translation';

import type { Params } from './errors';

type Render = (trans: TranslationBundle, params: Params) => string;

/**
 * The text of every reason and error, by its stable code.
 *
 * Say what happened and what to do next.
 */
const MESSAGES: Readonly<Record<string, Render>> = {
  // usage: CPU and memory
  cpu_first_sample: trans =>
    trans.__('CPU use is a difference between two readings; the second one follows.'),
  cgroup_unreadable: (trans, { path, error }) =>
    trans.__('The control group file %1 cannot be read: %2', path, error),
  machine_unreadable: (trans, { error }) =>
    trans.__('The figures of the machine cannot be read: %1', error),

  // usage: GPUs
  nvml_missing: trans => trans.__('No NVIDIA driver was found here.'),
  nvml_starting: trans =>
    trans.__('The NVIDIA driver is starting; this can take some seconds.'),
  nvml_not_answering: (trans, { seconds }) =>
    trans._n(
      'The NVIDIA driver has not answered for %1 second. If this lasts, tell the operator.',
      'The NVIDIA driver has not answered for %1 seconds. If this lasts, tell the operator.',
      Math.round(Number(seconds))
    ),
  nvml_failed: (trans, { error }) =>
    trans.__('The NVIDIA driver reports an error: %1. It is asked again by itself.', error),
  nvml_off: trans => trans.__('The operator switched the reading of GPUs off.'),
  gpu_lost: trans =>
    trans.__(
      'The driver lost this GPU. Programs that use it will fail; restart the server or tell the operator.'
    ),
  gpu_unreadable: (trans, { error }) => trans.__('This GPU cannot be read: %1', error),
  mig_no_utilization: trans =>
    trans.__('The driver does not report the utilization of a MIG slice.'),
  gpu_no_utilization: trans =>
    trans.__('The driver does not report the utilization of this GPU.'),

  // features and topics
  feature_off: (trans, { feature }) =>
    trans.__('The operator switched the feature “%1” off.', feature),
  feature_failed: (trans, { feature }) =>
    trans.__('The feature “%1” could not start. The log of the server tells why.', feature),
  unknown_topic: (trans, { topic }) =>
    trans.__('This server has no topic “%1”. Reload the page after an update.', topic),

  // replies
  invalid_parameter: (trans, { parameter }) =>
    trans.__(
      'The server does not understand the value of “%1”. Reload the page after an update.',
      parameter
    ),
  unknown_path: trans =>
    trans.__('This server has nothing at that address. Reload the page after an update.'),
  method_not_allowed: trans =>
    trans.__('The server does not accept that here. Reload the page after an update.'),
  forbidden: trans =>
    trans.__('You may not do this on this server. Sign in again or ask its owner.'),
  not_yet: trans => trans.__('The server has only just started; its first figures follow.'),
  too_many_streams: (trans, { limit }) =>
    trans._n(
      'This server sends live data to at most %1 page at once. Close some of its tabs.',
      'This server sends live data to at most %1 pages at once. Close some of its tabs.',
      Number(limit)
    ),
  internal_error: trans =>
    trans.__('The server met an error that it did not expect; its log tells more.'),
  http_error: (trans, { status }) =>
    trans.__('The server answered with status %1.', status),

  // what only the browser can notice
  network_error: trans => trans.__('The server cannot be reached.'),
  stream_ended: trans => trans.__('The server ended the connection.'),
  stream_silent: trans => trans.__('The server fell silent.'),
  stream_unreadable: trans =>
    trans.__(
      'The server sent something that this page does not understand. Reload the page.'
    )
};

/** A reason or an error as it crossed the wire. */
export interface ICoded {
  readonly code: string;
  readonly message: string;
  readonly params: Params;
}

/** Say it in the user's language, or in English if this page does not know the code. */
export function describe(coded: ICoded, trans: TranslationBundle): string {
  const render = Object.hasOwn(MESSAGES, coded.code) ? MESSAGES[coded.code] : undefined;
  return render ? render(trans, coded.params) : coded.message;
}
