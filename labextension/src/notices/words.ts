import type { TranslationBundle } from '@jupyterlab/translation';

import type { Notice } from './model';

/** Signals that faults of compiled code end by. */
const COMPILED = new Set(['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGABRT']);

/** What a death means to the user of the notebook, and what to do. */
export function consequences(
  notice: Notice,
  isDead: boolean,
  trans: TranslationBundle
): string {
  return [lost(notice, isDead, trans), remedy(notice, trans)]
    .filter(part => part !== '')
    .join(' ');
}

function lost({ code }: Notice, isDead: boolean, trans: TranslationBundle): string {
  if (code.startsWith('previous_run_')) {
    return trans.__('All kernels ended with it: variables are lost, saved files are not.');
  }
  return isDead
    ? trans.__('Its variables are lost, saved files are not. Restart it to go on.')
    : trans.__('It was restarted: its variables are lost, saved files are not.');
}

function remedy({ code, params }: Notice, trans: TranslationBundle): string {
  switch (code) {
    case 'kernel_out_of_memory':
    case 'previous_run_out_of_memory':
      return trans.__('Load less at once, or use a larger server.');
    case 'kernel_machine_out_of_memory':
      return trans.__('Others use this machine too: load less at once, or try later.');
    case 'kernel_crashed':
      return COMPILED.has(String(params['signal_name']))
        ? trans.__('Compiled libraries crash so; what ran last may tell which.')
        : '';
    default:
      return '';
  }
}
