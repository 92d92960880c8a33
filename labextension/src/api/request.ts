import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { networkError, replyError } from './errors';

/** Asks for a path below `<base>/jupyter-einfra/`; throws `EinfraError`. */
export type Requester = (path: string, init: RequestInit) => Promise<Response>;

/** Where all addresses of jupyter-einfra begin, below the server's base URL. */
const NAMESPACE = 'jupyter-einfra';

/**
 * Ask the server of this page.
 *
 * @param path - address below `<base>/jupyter-einfra/`, with its query
 * @returns the successful response
 * @throws EinfraError for everything else
 */
export async function request(
  path: string,
  init: RequestInit,
  settings: ServerConnection.ISettings
): Promise<Response> {
  const url = URLExt.join(settings.baseUrl, NAMESPACE) + '/' + path;
  // Lab's own default, `no-store`, adds a nameless parameter to the address.
  const options: RequestInit = { cache: 'no-cache', ...init };
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, options, settings);
  } catch (error) {
    throw networkError(error);
  }
  if (!response.ok) {
    throw await replyError(response);
  }
  return response;
}
