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
