import type { ISignal } from '@lumino/signaling';

/**
 * Hear of those changes only after which something reads otherwise.
 *
 * @param read - what matters, to be compared by `===`
 * @param signals - emit when it may be another
 */
export function whenChanged(
  read: () => unknown,
  then: () => void,
  ...signals: readonly ISignal<unknown, unknown>[]
): void {
  let before = read();
  const look = (): void => {
    const now = read();
    if (now !== before) {
      before = now;
      then();
    }
  };
  for (const signal of signals) {
    signal.connect(look);
  }
}
