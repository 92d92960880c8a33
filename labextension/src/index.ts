import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { activityPlugin } from './activity';
import { streamPlugin } from './api/plugin';
import { appsPlugin } from './apps';
import { idlePlugin } from './idle';
import { noticesPlugin } from './notices';
import { usagePlugin } from './usage';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  streamPlugin,
  activityPlugin,
  appsPlugin,
  idlePlugin,
  noticesPlugin,
  usagePlugin
];

export default plugins;
