/** What the mouse can do, the palette and the keyboard can do. */
export const CommandIDs = {
  /** Open the page that tells whether this server will be kept. */
  open: 'einfra-idle:open',
  /** Stop this server, after a question. */
  stop: 'einfra-idle:stop',
  /** Ask the operator for more time. */
  ask: 'einfra-idle:ask'
} as const;

/** Of the page's tab. */
export const PAGE_ID = 'einfra-idle-page';
