import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { streamPlugin } from './api/plugin';
import { noticesPlugin } from './notices';
import { usagePlugin } from './usage';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  streamPlugin,
  noticesPlugin,
  usagePlugin
];

export default plugins;
