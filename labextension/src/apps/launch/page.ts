/** Id of the element with what the server wrote into a page of ours; no program has it. */
export const DATA_ID = 'einfra-data';
