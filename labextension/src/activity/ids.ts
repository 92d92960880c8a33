/** What the mouse can do, the palette and the keyboard can do. */
export const CommandIDs = {
  /** Open what happened while the user was away. */
  open: 'einfra-activity:open',
  /** Tell, or do not tell, when a notebook is done. */
  await: 'einfra-activity:await',
  /** Record, or do not record, what happens. */
  record: 'einfra-activity:record',
  /** Erase what was recorded, after a question. */
  erase: 'einfra-activity:erase'
} as const;
