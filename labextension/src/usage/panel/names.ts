import { LONGEST_NAME, shorten, tidy } from '../../api/blanks';

/** A program's name for people: on one line, in its own direction, and not without end. */
export function calm(name: string): string {
  return shorten(tidy(name), LONGEST_NAME);
}
