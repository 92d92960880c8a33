import type { components } from '../api/schema';

type Schemas = components['schemas'];

/** An instance that runs. */
export function instance(
  change: Partial<Schemas['AppInstance']> = {}
): Schemas['AppInstance'] {
  return {
    id: 'vscode',
    app: 'vscode',
    title: 'VS Code',
    folder: null,
    url: 'vscode/',
    state: 'running',
    since: '2026-11-20T12:00:00Z',
    started: '2026-11-20T11:59:58Z',
    last_start_seconds: 2,
    restarts: 0,
    exit_code: null,
    reason: null,
    last_used: null,
    last_busy: null,
    hides_use: false,
    ...change
  };
}

/** An application that is installed and does nothing. */
export function app(change: Partial<Schemas['App']> = {}): Schemas['App'] {
  return {
    name: 'vscode',
    title: 'VS Code',
    icon_svg: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"></svg>',
    url: 'vscode/',
    installed: true,
    reason: null,
    opens_folders: true,
    opens_files: true,
    file_suffixes: [],
    per_folder: false,
    instances: [],
    kept_in: null,
    recent_folders: [],
    ...change
  };
}
