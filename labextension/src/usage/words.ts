import type { TranslationBundle } from '@jupyterlab/translation';

import { describe } from '../api/messages';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
type Device = Schemas['CpuUsage'] | Schemas['MemoryUsage'];

/** What the figures cover and where they were read, in one sentence. */
export function coverage(
  usage: Device | Schemas['GpuUsage'],
  trans: TranslationBundle
): string {
  return trans.__(
    'Covers %1; read from %2.',
    scope(usage.scope, trans),
    source(usage.source, trans)
  );
}

/** Who set the limit. */
export function limitOrigin(
  from: Device['limit_source'],
  trans: TranslationBundle
): string {
  switch (from) {
    case 'cgroup':
      return trans.__('The limit is set by the control group.');
    case 'affinity':
      return trans.__('The limit is the number of CPUs that this server may run on.');
    case 'machine':
      return trans.__('Nobody set a limit: it is the size of the machine.');
  }
}

/** Why a figure is missing, as a list to be spread into notes. */
export function why(reason: Schemas['Reason'] | null, trans: TranslationBundle): string[] {
  return reason ? [describe(reason, trans)] : [];
}

function scope(
  value: (Device | Schemas['GpuUsage'])['scope'],
  trans: TranslationBundle
): string {
  switch (value) {
    case 'container':
      return trans.__('this container');
    case 'cgroup':
      return trans.__('the control group of this session');
    case 'machine':
      return trans.__('the whole machine');
    case 'gpu':
      return trans.__('the whole GPU');
    case 'shared-gpu':
      return trans.__('the whole GPU, shared: neighbours are counted too');
    case 'mig':
      return trans.__('one MIG slice');
  }
}

function source(
  value: (Device | Schemas['GpuUsage'])['source'],
  trans: TranslationBundle
): string {
  switch (value) {
    case 'cgroup-v2':
      return 'cgroup v2';
    case 'cgroup-v1':
      return 'cgroup v1';
    case 'psutil':
      return trans.__('the operating system (psutil)');
    case 'nvml':
      return 'NVML';
  }
}
