/** What the mouse can do, the palette and the keyboard can do. */
export const CommandIDs = {
  /** Open an application: `app`, and maybe `path` and `openIn`. */
  open: 'einfra-apps:open',
  /** Open what is selected in the file browser: `app`. */
  openSelected: 'einfra-apps:open-selected',
  /** Open the folder that the file browser shows: `app`. */
  openHere: 'einfra-apps:open-here',
  /** Show an instance that runs: `id`. */
  show: 'einfra-apps:show',
  /** Stop an instance: `id`. */
  stop: 'einfra-apps:stop',
  /** Speak no longer of an instance that failed: `id`. */
  dismiss: 'einfra-apps:dismiss',
  /** Stop all that run, and dismiss all that failed. */
  stopAll: 'einfra-apps:stop-all',
  /** Stop an instance and start it anew: `id`. */
  restart: 'einfra-apps:restart',
  /** Set the session aside that an instance would restore, and start it anew: `id`. */
  reset: 'einfra-apps:reset',
  /** Show what an instance prints: `id`. */
  log: 'einfra-apps:log'
} as const;
