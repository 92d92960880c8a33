import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { streamPlugin } from './api/plugin';
import { usagePlugin } from './usage';

const plugins: JupyterFrontEndPlugin<unknown>[] = [streamPlugin, usagePlugin];

export default plugins;
