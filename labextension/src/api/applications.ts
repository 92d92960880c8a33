import type { TranslationBundle } from '@jupyterlab/translation';

import type { Blanks } from './blanks';
import type { Words } from './describe';

/**
 * Why an application does not run, and why something could not be done with it.
 *
 * In a file of their own: the page that shows a start has these words and no others.
 */
export const APPLICATIONS: Words = {
  // how it ended
  app_stopped: (trans, _, blanks) => trans.__('%1 was stopped.', blanks.name()),
  app_ended: (trans, _, blanks) => trans.__('%1 ended by itself.', blanks.name()),
  app_idle_stopped: (trans, _, blanks) =>
    trans.__(
      '%1 was stopped because nobody had used it since %2.',
      blanks.name(),
      blanks.time('since')
    ),
  app_start_failed: (trans, _, blanks) =>
    `${endedEarly(trans, blanks)} ${trans.__('Look at what it printed, then try again.')}`,
  app_failed: (trans, _, blanks) =>
    `${ended(trans, blanks)} ${trans.__('It had been started again several times. Look at what it printed.')}`,
  app_restarting: (trans, _, blanks) =>
    `${ended(trans, blanks)} ${trans.__('It is being started again.')}`,

  // why it cannot be started
  app_not_looked_for: trans => trans.__('It is being looked for.'),
  app_not_installed: (trans, { programs, command }, blanks) =>
    trans.__(
      '%1 is not installed here: the program %2 was not found. Whoever builds the image installs it with: %3',
      blanks.name(),
      programs,
      command
    ),
  app_incomplete: (trans, { programs, command }, blanks) =>
    trans.__(
      '%1 is installed here, but not all that it takes: none of the programs %2 was found. Whoever builds the image installs one with: %3',
      blanks.name(),
      programs,
      command
    ),
  app_not_executable: (trans, { path }) =>
    trans.__(
      '%1 is there and may not be executed. Whoever builds the image sets its mode.',
      path
    ),
  app_unusable: (trans, { error }, blanks) =>
    trans.__('%1 cannot be used here: %2', blanks.name(), error),
  app_unstartable: (trans, { error }, blanks) =>
    trans.__(
      '%1 cannot be started: %2. Whoever builds the image checks its program.',
      blanks.name(),
      error
    ),
  app_disk_full: (trans, { path, error }, blanks) =>
    trans.__(
      '%1 cannot be started: %2: %3. Delete what you do not need, then try again.',
      blanks.name(),
      path,
      error
    ),
  app_disk_unwritable: (trans, { path, error }, blanks) =>
    trans.__(
      '%1 cannot be started: %2: %3. Look at its permissions, or tell the operator.',
      blanks.name(),
      path,
      error
    ),
  app_not_ready: (trans, _, blanks) =>
    trans.__(
      '%1 was not ready after %2 and was stopped. Look at what it printed, then try again.',
      blanks.name(),
      blanks.duration('seconds')
    ),
  app_saving: (trans, _, blanks) =>
    trans.__(
      '%1 saves what it works on, to go on with it later. This takes at most %2.',
      blanks.name(),
      blanks.duration('seconds')
    ),
  app_too_old: (trans, { flags, command }, blanks) =>
    trans.__(
      '%1 is too old here: it does not know %2. Whoever builds the image installs a newer one: %3',
      blanks.name(),
      flags,
      command
    ),
  app_broken: (trans, { program, error }, blanks) =>
    trans.__(
      '%1 cannot be started: %2 does not work (%3). Whoever builds the image installs it anew.',
      blanks.name(),
      program,
      error
    ),
  app_no_folder: (trans, { path }, blanks) =>
    trans.__('%1 cannot be started: there is no folder %2.', blanks.name(), path),
  app_path_too_long: (trans, { path }, blanks) =>
    trans.__(
      '%1 cannot be started: %2 is too long for a socket. Set TMPDIR to a shorter path.',
      blanks.name(),
      path
    ),

  // what was asked for
  app_opens_at_start: (trans, { path }, blanks) =>
    trans.__(
      '%1 runs already. Open %2 there, or stop it and open that again.',
      blanks.name(),
      path
    ),
  opens_others: (trans, { suffixes }, blanks) =>
    trans.__('%1 opens files of these kinds: %2.', blanks.name(), suffixes),
  not_shown: (trans, { path, root }) =>
    trans.__('JupyterLab shows what is in %1, and %2 is not.', root, path),
  no_such_app: (trans, { app, known }) =>
    trans.__('There is no application “%1”. There are: %2.', app, known),
  no_such_instance: trans =>
    trans.__('That is not known any more. Open the application on its folder anew.'),
  no_such_path: (trans, { path }) =>
    trans.__('There is nothing at “%1”. Check the path.', path),
  needs_folder: (trans, _, blanks) =>
    trans.__('%1 opens a folder. Name one.', blanks.name()),
  opens_nothing: (trans, _, blanks) =>
    trans.__('%1 opens neither folders nor files. Open it without one.', blanks.name()),
  keeps_nothing: (trans, _, blanks) =>
    trans.__('%1 keeps no session that could be reset. Restart it.', blanks.name()),
  app_not_running: (trans, _, blanks) =>
    trans.__('%1 does not run. Open it to start it.', blanks.name()),
  app_not_answering: (trans, { error }, blanks) =>
    trans.__('%1 does not answer (%2). Try again.', blanks.name(), error),
  too_many_instances: (trans, _, blanks) =>
    trans._n(
      '%2 already runs %1 time. Stop one that you do not need.',
      '%2 already runs %1 times. Stop one that you do not need.',
      blanks.number('limit'),
      blanks.name()
    )
};

/** How it ended before it was ready, as far as that was seen. */
function endedEarly(trans: TranslationBundle, blanks: Blanks): string {
  if (blanks.has('signal_name')) {
    return trans.__(
      '%1 was ended by %2 before it was ready.',
      blanks.name(),
      blanks.name('signal_name')
    );
  }
  return blanks.has('exit_code')
    ? trans.__(
        '%1 ended with exit status %2 before it was ready.',
        blanks.name(),
        blanks.number('exit_code')
      )
    : trans.__('%1 ended before it was ready; nobody saw how.', blanks.name());
}

/** How it ended, as far as that was seen. */
function ended(trans: TranslationBundle, blanks: Blanks): string {
  if (blanks.has('signal_name')) {
    return trans.__('%1 was ended by %2.', blanks.name(), blanks.name('signal_name'));
  }
  return blanks.has('exit_code')
    ? trans.__('%1 ended with exit status %2.', blanks.name(), blanks.number('exit_code'))
    : trans.__('%1 ended; nobody saw how.', blanks.name());
}
