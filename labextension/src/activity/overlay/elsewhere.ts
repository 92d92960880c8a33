import type { ActivityModel } from '../model';

/** Signs that somebody looks at what is open here. */
const TOUCHES = ['pointermove', 'pointerdown', 'wheel', 'keydown'] as const;

/**
 * Whoever was here for ten minutes counts as told, though nobody may have read a word. What is
 * heard later than this is therefore not taken for news of another window.
 */
const SURELY_ELSEWHERE_MS = 300_000;

/**
 * Wait until the user is told in another window, for as long as they do not touch this one.
 *
 * @param node - of the overlay
 * @param leave - called once they are
 * @returns ends the waiting
 */
export function watchElsewhere(
  activity: ActivityModel,
  node: EventTarget,
  leave: () => void
): () => void {
  const opened = performance.now();
  const end = (): void => {
    activity.changed.disconnect(look);
    TOUCHES.forEach(touch => {
      node.removeEventListener(touch, end, true);
    });
  };
  const look = (): void => {
    const isTold = activity.status?.away_since === null;
    if (isTold && performance.now() - opened < SURELY_ELSEWHERE_MS) {
      end();
      leave();
    }
  };
  activity.changed.connect(look);
  TOUCHES.forEach(touch => {
    node.addEventListener(touch, end, { capture: true, passive: true });
  });
  return end;
}
