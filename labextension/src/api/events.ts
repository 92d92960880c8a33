import type { TranslationBundle } from '@jupyterlab/translation';

import type { Blanks, Render } from './blanks';

/**
 * What happened or is about to, by its stable code.
 *
 * Lab cuts a notification after 140 characters: the event first, then what to do.
 */
export const EVENTS: Readonly<Record<string, Render>> = {
  // usage: warnings before
  memory_high: (trans, _, blanks) =>
    sentences(
      trans.__(
        '%1 of memory in use; at the limit programs are killed.',
        blanks.bytes('used_bytes', 'limit_bytes')
      ),
      biggest(trans, blanks)
    ),
  memory_trend: (trans, _, blanks) =>
    sentences(
      trans.__(
        'Memory grows by %1 a minute; at this rate it meets its limit in about %2.',
        blanks.size('bytes_per_second', 60),
        blanks.duration('seconds')
      ),
      biggest(trans, blanks)
    ),
  cpu_throttled: (trans, _, blanks) =>
    trans._n(
      'You are at your limit of %2 core: in the last %3 programs were held back in %4 of their turns.',
      'You are at your limit of %2 cores: in the last %3 programs were held back in %4 of their turns.',
      blanks.number('limit_cores'),
      blanks.format.coresLimit(blanks.number('limit_cores')),
      blanks.duration('seconds'),
      blanks.format.percent(blanks.number('throttled_share'))
    ),
  disk_full: (trans, { disk, scope }, blanks) =>
    // What others fill too is not one's home.
    disk === 'home' && scope !== 'filesystem'
      ? trans.__(
          'Your home is nearly full: %1. Delete files that you do not need, or saving will fail.',
          blanks.bytes('used_bytes', 'limit_bytes')
        )
      : trans.__(
          'The disk of %1 is nearly full: %2. Delete files that you do not need, or saving will fail.',
          blanks.name('path'),
          blanks.bytes('used_bytes', 'limit_bytes')
        ),
  gpu_unused: (trans, _, blanks) =>
    trans.__(
      'GPU %1 (%2) has done nothing for %3. Others may be waiting for it.',
      blanks.number('index'),
      blanks.name(),
      blanks.duration('hours', 3600)
    ),

  // apps: a warning before
  app_idle: (trans, _, blanks) =>
    trans.__(
      'Nobody has used %1 since %2. Unless somebody does, it will be stopped at %3.',
      blanks.name(),
      blanks.time('since'),
      blanks.time('end')
    ),

  // idle: warnings before
  idle_counted: (trans, { estimate }, blanks) =>
    estimate === 0
      ? trans.__(
          'Found unused %1 of %2 times. Unless it is used, your server will be deleted (%3).',
          blanks.number('counter'),
          blanks.number('counter_limit'),
          blanks.time('end')
        )
      : trans.__(
          'Found unused up to %1 of %2 times. Unless it is used, your server may be deleted from %3 on (estimate).',
          blanks.number('counter'),
          blanks.number('counter_limit'),
          blanks.time('end')
        ),
  idle_day: (trans, { estimate }, blanks) =>
    sentences(
      estimate === 0
        ? trans.__(
            'Your server will be deleted unless it is used (%1).',
            blanks.time('end')
          )
        : trans.__(
            'Unless it is used, your server may be deleted from %1 on (estimate).',
            blanks.time('end')
          ),
      ...whatIsUse(trans, blanks)
    ),
  idle_hour: (trans, { estimate }, blanks) =>
    sentences(
      estimate === 0
        ? trans.__(
            'Unless it is used, your server will be deleted within the hour (%1).',
            blanks.time('end')
          )
        : trans.__(
            'Unless it is used, your server may be deleted within the hour (%1, estimate).',
            blanks.time('end')
          ),
      ...whatIsUse(trans, blanks)
    ),

  // activity: what is done
  run_finished: (trans, _, blanks) =>
    trans._n(
      '%2 is done: %1 cell in %3.',
      '%2 is done: %1 cells in %3.',
      blanks.number('cells'),
      blanks.name(),
      blanks.length('seconds')
    ),
  run_died: (trans, _, blanks) =>
    trans.__('%1 is not done: its kernel died.', blanks.name()),
  run_failed: (trans, _, blanks) =>
    blanks.has('error')
      ? trans.__(
          '%1 stopped after %2: %3.',
          blanks.name(),
          blanks.length('seconds'),
          blanks.name('error')
        )
      : trans.__(
          '%1 stopped after %2, with an error.',
          blanks.name(),
          blanks.length('seconds')
        ),

  // usage: explanations after
  kernel_out_of_memory: (trans, _, blanks) =>
    trans.__(
      'Kernel of %1 was killed (%2): memory reached %3.',
      blanks.name(),
      blanks.time(),
      blanks.bytes('used_bytes', 'limit_bytes')
    ),
  kernel_machine_out_of_memory: (trans, _, blanks) =>
    trans.__(
      'Kernel of %1 was killed (%2): the whole machine ran out of memory.',
      blanks.name(),
      blanks.time()
    ),
  kernel_killed: (trans, { memory_known }, blanks) =>
    memory_known === 0
      ? trans.__(
          'Kernel of %1 was killed (%2, SIGKILL); whether for want of memory is not known.',
          blanks.name(),
          blanks.time()
        )
      : trans.__(
          'Kernel of %1 was killed by some program (%2, SIGKILL), not for want of memory.',
          blanks.name(),
          blanks.time()
        ),
  kernel_crashed: (trans, _, blanks) =>
    trans.__(
      'Kernel of %1 crashed (%2, %3).',
      blanks.name(),
      blanks.time(),
      blanks.name('signal_name')
    ),
  kernel_exited: (trans, _, blanks) =>
    trans.__(
      'Kernel of %1 ended by itself (%2), with exit status %3.',
      blanks.name(),
      blanks.time(),
      blanks.number('exit_code')
    ),
  kernel_died: (trans, _, blanks) =>
    trans.__('Kernel of %1 died (%2). Why is not known.', blanks.name(), blanks.time()),
  process_out_of_memory: (trans, _, blanks) =>
    blanks.has('name')
      ? trans.__(
          'A process of %1 was killed for want of memory (%2). Check what it was to do.',
          blanks.name(),
          blanks.time()
        )
      : trans.__(
          'A process was killed for want of memory (%1). Check what it was to do.',
          blanks.time()
        ),
  previous_run_out_of_memory: (trans, _, blanks) =>
    sentences(
      blanks.has('used_bytes')
        ? trans.__(
            'Your server was killed%1: memory had reached %2.',
            ended(trans, blanks),
            blanks.bytes('used_bytes', 'limit_bytes')
          )
        : trans.__('Your server was killed%1: it ran out of memory.', ended(trans, blanks)),
      lost(trans, blanks)
    ),
  previous_run_killed: (trans, _, blanks) =>
    sentences(
      trans.__('Your server was killed%1; why is not known.', ended(trans, blanks)),
      lost(trans, blanks)
    ),

  // usage: marks on the charts
  run_stopped: (trans, _, blanks) =>
    trans.__('The server was stopped (%1).', blanks.time('ended')),
  run_killed: (trans, _, blanks) =>
    sentences(
      trans.__('The server ended without a word; last seen: %1.', blanks.time('ended')),
      lastFigure(trans, blanks)
    ),
  run_out_of_memory: (trans, _, blanks) =>
    sentences(
      trans.__(
        'The server was probably killed for want of memory; last seen: %1.',
        blanks.time('ended')
      ),
      lastFigure(trans, blanks)
    ),
  history_set_aside: (trans, _, blanks) =>
    trans.__(
      'The history on disk was damaged. What could not be read is kept as %1; a new one was begun.',
      blanks.name('file')
    )
};

function sentences(...parts: readonly string[]): string {
  return parts.filter(part => part !== '').join(' ');
}

/** What counts as use, and how far below that the last day was, where it is known. */
function whatIsUse(trans: TranslationBundle, blanks: Blanks): string[] {
  const threshold = blanks.number('threshold');
  const gpu = blanks.name('metric') === 'gpu_busy_share';
  const write = (value: number): string =>
    gpu ? `${blanks.format.small(value * 100)} %` : blanks.format.small(value);
  return [
    gpu
      ? trans.__('Use: GPU busy %1.', write(threshold))
      : trans.__('Use: %1 cores.', write(threshold)),
    blanks.has('maximum')
      ? trans.__('Last day: up to %1.', write(blanks.number('maximum')))
      : ''
  ];
}

/** The kernel that uses most memory, where one is known. */
function biggest(trans: TranslationBundle, blanks: Blanks): string {
  if (!blanks.has('name')) {
    return '';
  }
  return blanks.has('kernel_bytes')
    ? trans.__('Biggest: %1, %2.', blanks.name(), blanks.size('kernel_bytes'))
    : trans.__('Biggest: %1.', blanks.name());
}

/** When the last run ended, to follow the verb; empty where that is not known. */
function ended(trans: TranslationBundle, blanks: Blanks): string {
  return blanks.has('ended') ? trans.__(' (%1)', blanks.time('ended')) : '';
}

/** The notebooks whose variables are gone. */
function lost(trans: TranslationBundle, blanks: Blanks): string {
  return blanks.has('kernels')
    ? trans.__('Variables are lost in: %1.', blanks.name('kernels'))
    : '';
}

/** The memory that was in use when the server was last seen. */
function lastFigure(trans: TranslationBundle, blanks: Blanks): string {
  if (!blanks.has('used_bytes')) {
    return '';
  }
  return trans.__(
    'Memory in use then: %1.',
    blanks.has('limit_bytes')
      ? blanks.bytes('used_bytes', 'limit_bytes')
      : blanks.size('used_bytes')
  );
}
