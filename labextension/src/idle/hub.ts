import { PageConfig, URLExt } from '@jupyterlab/coreutils';

/** Address of the hub's page on which servers are started and stopped; null without a hub. */
export function controlPanel(): string | null {
  const prefix = PageConfig.getOption('hubPrefix');
  return prefix === ''
    ? null
    : PageConfig.getOption('hubHost') + URLExt.join(prefix, 'home');
}
