import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { EinfraError, networkError } from './errors';
import type { components } from './schema';

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

/** The error that a reply describes, whoever wrote it: we, Jupyter or a proxy. */
async function replyError(response: Response): Promise<EinfraError> {
  const { status } = response;
  let body: Partial<components['schemas']['ErrorBody']> = {};
  try {
    const json: unknown = await response.json();
    if (typeof json === 'object' && json !== null) {
      body = json;
    }
  } catch {
    // A proxy's page, for one, is not JSON: the status has to do.
  }
  const message = body.message ?? `The server answered with status ${status}.`;
  return body.code
    ? new EinfraError({ code: body.code, message, params: body.params ?? {}, status })
    : new EinfraError({ code: 'http_error', message, params: { status }, status });
}
