/** Id of the element with what the server wrote into a page of ours; no program has it. */
export const DATA_ID = 'einfra-data';

/** What the page that lets one choose a folder tells Lab around it. */
export interface IChosen {
  readonly type: 'einfra-apps:chosen';

  /** Of the instance. */
  readonly id: string;

  /** For people; with the folder. */
  readonly title: string;
}

/** Whether it is that, whoever sent it. */
export function isChosen(message: unknown): message is IChosen {
  const { type, id, title } = (message ?? {}) as Partial<Record<keyof IChosen, unknown>>;
  return (
    type === 'einfra-apps:chosen' && typeof id === 'string' && typeof title === 'string'
  );
}
