import type { Render } from './blanks';

/**
 * Why a figure is missing or what it cannot tell, by its stable code.
 *
 * Say what is the matter and, where something can be done, what.
 */
export const REASONS: Readonly<Record<string, Render>> = {
  // CPU, memory and network
  cpu_first_sample: trans =>
    trans.__('CPU use is a difference between two readings; the second one follows.'),
  network_first_sample: trans =>
    trans.__('Traffic is a difference between two readings; the second one follows.'),
  network_unreadable: (trans, { path, error }) =>
    trans.__('The traffic cannot be read from %1: %2', path, error),
  cgroup_unreadable: (trans, { path, error }) =>
    trans.__('The control group file %1 cannot be read: %2', path, error),
  machine_unreadable: (trans, { error }) =>
    trans.__('The figures of the machine cannot be read: %1', error),

  // disks
  disk_starting: (trans, { path }) =>
    trans.__('%1 is being asked for the first time.', path),
  disk_not_answering: (trans, { path }, blanks) =>
    trans.__(
      'The file system of %1 has not answered since %2.',
      path,
      blanks.time('since')
    ),
  disk_missing: (trans, { path }) => trans.__('There is no %1.', path),
  disk_unreadable: (trans, { path, error }) =>
    trans.__('The file system of %1 cannot be asked: %2', path, error),
  disk_no_figures: (trans, { path }) =>
    trans.__('The file system of %1 does not say how large it is.', path),
  disk_shared: (trans, { path }) =>
    trans.__(
      '%1 lies on a file system that others use too, and it does not tell what is yours. The operator can set a quota on the file server, which then tells it.',
      path
    ),

  // kernels, terminals and their processes
  kernel_elsewhere: trans =>
    trans.__('The kernel does not run in this container: its processes cannot be seen.'),
  kernel_no_process: trans =>
    trans.__('The kernel has no process now: it is starting, or it has ended.'),
  program_gone: trans => trans.__('Its process is there no more.'),
  program_shared: (trans, _, blanks) =>
    trans.__('It runs in the same process as %1, where it is counted.', blanks.name()),
  program_not_apart: trans =>
    trans.__('It runs inside the server or around it, so its own part cannot be told.'),
  process_memory_unreadable: trans =>
    trans.__('The memory of one of its processes cannot be read.'),
  processes_hidden: (trans, _, blanks) =>
    trans._n(
      '%1 process cannot be read and is not counted.',
      '%1 processes cannot be read and are not counted.',
      blanks.number('count')
    ),
  processes_invisible: trans =>
    trans.__('Processes of other users are hidden here; only your own are counted.'),
  processes_unreadable: (trans, { error }) =>
    trans.__('The processes cannot be read: %1', error),

  // GPUs
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
  gpu_no_utilization: trans =>
    trans.__('The driver does not report the utilization of this GPU.'),
  gpu_processes_hidden: trans =>
    trans.__(
      'The driver names no process that is known in this container: whose GPU memory is whose cannot be told here.'
    ),
  gpu_processes_no_permission: trans =>
    trans.__('The driver lets only administrators see the processes on this GPU.'),
  gpu_processes_not_supported: trans =>
    trans.__('The driver does not list the processes on this GPU.'),
  gpu_processes_not_asked: trans =>
    trans.__('The processes on a GPU are looked up only while somebody looks.'),
  gpu_process_memory_unknown: trans =>
    trans.__('The driver does not say how much memory a process uses on this GPU.'),
  mig_no_utilization: trans =>
    trans.__('The driver does not report the utilization of a MIG slice.'),
  mig_partial: trans =>
    trans.__(
      'This slice is part of a GPU instance, and the driver reports the utilization of whole instances only.'
    ),
  mig_gone: trans =>
    trans.__(
      'This MIG slice is there no more: the GPU was divided anew. Programs on it have failed; start a new server to get another.'
    ),
  gpm_starting: trans =>
    trans.__('The utilization of a MIG slice takes two readings; the second one follows.'),
  gpm_no_permission: trans =>
    trans.__(
      'The driver lets only administrators read the utilization of a MIG slice. Ask the operator whether that can be allowed.'
    ),
  gpm_not_supported: trans =>
    trans.__(
      'The driver does not offer the utilization of this MIG slice here, though the GPU could report it.'
    ),
  gpm_too_old: trans =>
    trans.__(
      'The NVIDIA driver, or what reads it here, is too old to report the utilization of a MIG slice.'
    ),
  gpm_implausible: trans =>
    trans.__('The driver gave a utilization of this MIG slice that cannot be true.'),

  // activity
  activity_not_recorded: trans =>
    trans.__(
      'What happens on this server is not recorded. Switch that on to be told of it.'
    ),

  // the history
  history_loading: trans => trans.__('The history is being read; it follows.'),
  history_in_memory_second: trans =>
    trans.__(
      'Another server of yours keeps the history on disk. This one keeps its own in memory until that one ends.'
    ),
  history_in_memory_busy: (trans, { folder }) =>
    trans.__(
      'Another program has opened the history in %1. It is kept in memory until that program closes it.',
      folder
    ),
  history_in_memory_full: (trans, { folder }) =>
    trans.__(
      'The disk of %1 is full. The history is kept in memory until there is space: delete what you do not need.',
      folder
    ),
  history_in_memory_read_only: (trans, { folder }) =>
    trans.__('%1 cannot be written. The history is kept in memory until it can.', folder),
  history_in_memory_hung: (trans, { folder }) =>
    trans.__(
      'The disk of %1 does not answer. The history is kept in memory until it does.',
      folder
    ),
  history_in_memory_unreachable: (trans, { folder, detail }) =>
    trans.__(
      'The history cannot be kept in %1 (%2). It is kept in memory until it can.',
      folder,
      detail
    ),

  // whether an unused server is kept
  idle_no_policy: trans =>
    trans.__('The operator has not said here whether unused servers are deleted.'),
  idle_revision_unknown: (trans, { revision }) =>
    trans.__(
      'The rules of the operator’s policy “%1” are not known here. Ask the operator to update jupyter-einfra.',
      revision
    ),
  idle_file_missing: trans =>
    trans.__('The operator’s controller has not written anything into this server yet.'),
  idle_file_unreadable: (trans, { file, error }) =>
    trans.__('What the operator’s controller wrote to %1 cannot be read: %2', file, error),
  idle_file_malformed: (trans, { file, error }) =>
    trans.__(
      'What the operator’s controller wrote to %1 is not understood: %2',
      file,
      error
    ),
  idle_state_other_server: (trans, { server }) =>
    trans.__('It is about another server, “%1”.', server),
  idle_state_older_start: (trans, _, blanks) =>
    trans.__('It is from before this server was started (%1).', blanks.time()),
  idle_state_old: (trans, _, blanks) =>
    trans.__('It is too old to be relied on (%1).', blanks.time()),
  idle_state_future: (trans, _, blanks) =>
    trans.__('Its time has not come yet (%1): a clock is wrong.', blanks.time()),
  idle_policy_invalid: (trans, { error }) =>
    trans.__('The policy that the operator has set cannot be used: %1', error),
  idle_no_rule: trans =>
    trans.__('The policy has no rule for a server like this one, so nothing can be told.'),
  idle_controller_silent: trans =>
    trans.__('The operator’s controller has not answered yet; it is being asked.'),
  idle_controller_unreachable: (trans, { error }) =>
    trans.__('The operator’s controller cannot be reached: %1', error),
  idle_controller_malformed: (trans, { error }) =>
    trans.__('The answer of the operator’s controller is not understood: %1', error),
  idle_history_short: trans =>
    trans.__(
      'For a part of the time since this server started, nothing was recorded; that counts as idle.'
    ),
  idle_history_lost: trans =>
    trans.__('Part of the record of the use is lost; it counts as idle.'),
  idle_gpu_shared: trans =>
    trans.__(
      'A GPU is shared: what is yours of its use cannot be told, so it counts as idle.'
    ),
  idle_gpu_moments: trans =>
    trans.__(
      'The driver tells only of moments how busy a GPU is; what lies between counts as idle.'
    ),
  idle_gpu_hidden: trans =>
    trans.__('How busy a GPU is cannot be read here, so it counts as idle.'),
  idle_gpus_change: trans =>
    trans.__(
      'GPUs come and go on this server, so it cannot be told whether the rule for CPUs or that for GPUs holds.'
    ),
  idle_stop_not_granted: trans =>
    trans.__(
      'The hub does not let this server stop itself. Stop it in the hub’s control panel.'
    ),
  idle_stop_no_hub: trans =>
    trans.__('No hub started this server. Stop it where you started it.'),
  idle_hub_unreachable: (trans, { error }) =>
    trans.__(
      'The hub cannot be reached: %1. Try again, or use the hub’s control panel.',
      error
    ),
  idle_time_not_offered: trans =>
    trans.__('More time cannot be asked for here. Write to the operator.')
};
