import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { formatOf, shorten, tidy } from '../api/blanks';
import { say, type Words } from '../api/describe';
import { describe } from '../api/messages';
import type { components } from '../api/schema';

export type Fact = components['schemas']['Fact'];

/** A fact in the user's language: "**name**: text `code` details". */
export interface ITold {
  /** The notebook or program, where the text does not name it. */
  readonly name: string | null;
  readonly text: string;

  /** Words of a program, empty where there are none. */
  readonly code: string;

  /** What is less important. */
  readonly details: string;
}

const LONGEST_NAME = 48;
const LONGEST_ERROR = 160;

/** How long something ran is worth a word from so many seconds on. */
const LONG = 60;

/** What happened to what a fact names, to follow its name; by the fact's stable code. */
const FACTS: Words = {
  // attention
  kernel_out_of_memory: (trans, _, blanks) =>
    trans.__(
      'its kernel was killed, memory reached %1.',
      blanks.bytes('used_bytes', 'limit_bytes')
    ),
  kernel_machine_out_of_memory: trans =>
    trans.__('its kernel was killed, the whole machine ran out of memory.'),
  kernel_killed: (trans, { memory_known }) =>
    memory_known === 0
      ? trans.__(
          'its kernel was killed (SIGKILL); whether for want of memory is not known.'
        )
      : trans.__(
          'its kernel was killed by some program (SIGKILL), not for want of memory.'
        ),
  kernel_crashed: (trans, _, blanks) =>
    trans.__('its kernel crashed (%1).', blanks.name('signal_name')),
  kernel_exited: (trans, _, blanks) =>
    trans.__(
      'its kernel ended by itself, with exit status %1.',
      blanks.number('exit_code')
    ),
  kernel_died: trans => trans.__('its kernel died; why is not known.'),
  run_failed: (trans, { execution_count }) =>
    execution_count === undefined
      ? trans.__('a cell failed.')
      : trans.__('cell [%1] failed.', execution_count),
  run_lost: (trans, { execution_count }) =>
    execution_count === undefined
      ? trans.__('the server ended while a cell ran.')
      : trans.__('the server ended while cell [%1] ran.', execution_count),

  // finished
  runs_finished: (trans, _, blanks) =>
    trans._n(
      '%1 cell ran, for %2.',
      '%1 cells ran, the longest for %2.',
      blanks.number('cells'),
      blanks.length('longest_seconds')
    ),
  run_stopped: (trans, { why }, blanks) => {
    const length = blanks.length('seconds');
    switch (why) {
      case 'interrupted':
        return trans.__('interrupted after %1.', length);
      case 'restarted':
        return trans.__('ended after %1, as its kernel was restarted.', length);
      case 'shut-down':
        return trans.__('ended after %1, as its kernel was shut down.', length);
      default:
        return trans.__('ended after %1; how is not known.', length);
    }
  },
  program_ended: (trans, { program }) => {
    switch (program) {
      case 'terminal':
        return trans.__('the terminal was closed.');
      case 'exposure':
        return trans.__('its public address was taken back.');
      default:
        return trans.__('the application ended.');
    }
  },
  server_started: trans => trans.__('The server was started.'),

  // running
  run_running: (trans, { execution_count }, blanks) =>
    execution_count === undefined
      ? trans.__('a cell has been running for %1.', blanks.length('seconds'))
      : trans.__(
          'cell [%1] has been running for %2.',
          execution_count,
          blanks.length('seconds')
        ),
  program_running: (trans, { program }) => {
    switch (program) {
      case 'terminal':
        return trans.__('the terminal is open.');
      case 'exposure':
        return trans.__('it has a public address.');
      default:
        return trans.__('the application is running.');
    }
  },

  // files
  files_changed: (trans, _, blanks) => {
    const parts = [
      [blanks.number('saved'), trans.__('%1 saved', blanks.number('saved'))],
      [blanks.number('renamed'), trans.__('%1 renamed', blanks.number('renamed'))],
      [blanks.number('copied'), trans.__('%1 copied', blanks.number('copied'))],
      [blanks.number('deleted'), trans.__('%1 deleted', blanks.number('deleted'))]
    ] as const;
    const told = parts.filter(([count]) => count > 0).map(([, text]) => text);
    return `${told.join(', ')}:`;
  },

  // continue
  continue_at: (trans, { execution_count }) =>
    execution_count === undefined
      ? trans.__('this is where you worked last.')
      : trans.__('you worked last in cell [%1].', execution_count)
};

/** Say what happened. What this page has no words for is told in English. */
export function tell(fact: Fact, trans: TranslationBundle): ITold {
  const { code, execution_count: count, params } = fact;
  if (!Object.hasOwn(FACTS, code)) {
    return { name: null, text: describe(fact, trans), code: '', details: '' };
  }
  const known = count === null ? params : { ...params, execution_count: count };
  const error = [params['error'], params['text']].filter(
    part => part !== undefined && part !== ''
  );
  return {
    name: nameOf(fact),
    text: say({ ...fact, params: known }, FACTS, trans),
    code: shorten(tidy(error.map(String).join(': ')), LONGEST_ERROR),
    details: detailsOf(fact, trans).join(' ')
  };
}

/** The name of the file or program; null where there is none. */
export function nameOf({ params, path }: Pick<Fact, 'params' | 'path'>): string | null {
  const name = path === null ? params['name'] : PathExt.basename(path);
  return name === undefined ? null : shorten(tidy(String(name)), LONGEST_NAME);
}

function detailsOf(fact: Fact, trans: TranslationBundle): string[] {
  const { code, execution_count: count, params } = fact;
  const seconds = Number(params['seconds'] ?? 0);
  const times = Number(params['times'] ?? 1);
  const others = Number(params['others'] ?? 0);
  const format = formatOf(trans);
  const details = [];
  if (code.startsWith('kernel_')) {
    if (count !== null) {
      details.push(trans.__('Cell [%1] was running.', count));
    }
    details.push(
      params['restarted'] === 1
        ? trans.__('It was restarted; its variables are lost.')
        : trans.__('Its variables are lost.')
    );
  }
  if ((code === 'run_failed' || code === 'run_lost') && seconds >= LONG) {
    details.push(trans.__('It had run for %1.', format.length(seconds)));
  }
  if (code === 'runs_finished') {
    const failed = Number(params['failed'] ?? 0);
    details.push(
      failed > 0
        ? trans._n('%1 of them failed.', '%1 of them failed.', failed)
        : trans.__('No errors.')
    );
  }
  if (code === 'files_changed') {
    const names = String(params['names'] ?? '').split('\n');
    details.push(names.map(name => shorten(tidy(name), LONGEST_NAME)).join(', '));
  }
  if (times > 1) {
    details.push(trans._n('It happened %1 time.', 'It happened %1 times.', times));
  }
  if (others > 0) {
    details.push(trans._n('%1 other error followed.', '%1 other errors followed.', others));
  }
  return details.filter(detail => detail !== '');
}
