import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { IEinfraStream } from '../tokens';
import { BrowserPage } from './page';
import { request } from './request';
import { EinfraStream } from './stream';

/** Provides the one connection that all features of a page share. */
export const streamPlugin: JupyterFrontEndPlugin<IEinfraStream> = {
  id: '@e-infra/jupyter-einfra:stream',
  description: 'Holds the one connection for live data of jupyter-einfra.',
  autoStart: true,
  provides: IEinfraStream,
  activate: (app: JupyterFrontEnd): IEinfraStream => {
    const { serverSettings } = app.serviceManager;
    return new EinfraStream({
      page: new BrowserPage(),
      request: (path, init) => request(path, init, serverSettings)
    });
  }
};
