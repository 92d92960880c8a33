import type { components } from './schema';

/** The figures and names inside a message. */
export type Params = components['schemas']['Reason']['params'];

/** Why a request failed, with a stable code that the interface can translate. */
export class EinfraError extends Error {
  constructor(options: {
    code: string;
    message: string;
    params?: Params;
    status?: number;
  }) {
    super(options.message);
    this.name = 'EinfraError';
    this.code = options.code;
    this.params = options.params ?? {};
    this.status = options.status ?? null;
  }

  /** Stable name of the error, in snake_case. */
  readonly code: string;

  readonly params: Params;

  /** The HTTP status, null when there was no reply. */
  readonly status: number | null;
}

/** The error for a request that got no reply, or whose reply broke off. */
export function networkError(error: unknown): EinfraError {
  if (error instanceof EinfraError) {
    return error;
  }
  return new EinfraError({
    code: 'network_error',
    message: `The server cannot be reached: ${error instanceof Error ? error.message : String(error)}`
  });
}

/** The error that a reply describes, whoever wrote it: we, Jupyter or a proxy. */
export async function replyError(response: Response): Promise<EinfraError> {
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
