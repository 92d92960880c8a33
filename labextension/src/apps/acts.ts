import type { TranslationBundle } from '@jupyterlab/translation';

import { networkError } from '../api/errors';
import { tellFailure } from '../api/failure';
import { describe } from '../api/messages';
import type { Requester } from '../api/request';
import type { components } from '../api/schema';

type Schemas = components['schemas'];

/** What is asked of the server, and what the user is told if it refuses. */
export class Acts {
  constructor(
    private readonly _request: Requester,
    private readonly _trans: TranslationBundle
  ) {}

  /**
   * Start an application if need be.
   *
   * @param path - a folder or file, null for none
   * @returns where it is shown, null if the server refused and the user knows why
   */
  async open(app: string, path: string | null): Promise<Schemas['AppAddress'] | null> {
    return this._ask('open', { app, path, show: false });
  }

  /** Start an instance that was there before, or failed. */
  async start(id: string): Promise<Schemas['AppInstance'] | null> {
    return this._ask('start', { id });
  }

  /** Stop an instance; one that failed is no longer spoken of. */
  async stop(id: string): Promise<void> {
    await this._ask('stop', { id });
  }

  async restart(id: string): Promise<void> {
    await this._ask('restart', { id });
  }

  /** Start an instance without the session that it would restore. */
  async reset(id: string): Promise<void> {
    await this._ask('reset', { id });
  }

  /** Tell that the user does something in an instance; that it failed is no matter to them. */
  async use(id: string): Promise<boolean> {
    const body = JSON.stringify({ id });
    return this._request('apps/used', { method: 'POST', body }).then(
      () => true,
      () => false
    );
  }

  private async _ask<T>(act: string, body: object): Promise<T | null> {
    try {
      const response = await this._request(`apps/${act}`, {
        method: 'POST',
        body: JSON.stringify(body)
      });
      return (await response.json()) as T;
    } catch (error) {
      await tellFailure(describe(networkError(error), this._trans), this._trans);
      return null;
    }
  }
}
