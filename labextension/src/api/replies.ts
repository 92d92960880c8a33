import type { Words } from './describe';

/** Why a request was refused or came to nothing, whatever it was for. */
export const REPLIES: Words = {
  // what the server says
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
