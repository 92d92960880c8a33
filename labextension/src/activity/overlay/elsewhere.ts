import type { ActivityModel } from '../model';

/** Signs that somebody looks at what is open here. */
const TOUCHES = ['pointermove', 'pointerdown', 'wheel', 'keydown'] as const;

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
  const before = activity.status?.told_at;
  const end = (): void => {
    activity.changed.disconnect(look);
    TOUCHES.forEach(touch => {
      node.removeEventListener(touch, end, true);
    });
  };
  const look = (): void => {
    const { away_since: since, told_at: told } = activity.status ?? {};
    // An absence is over, too, once somebody was here for long, whatever they have read; and a
    // server that was started anew may know less of it.
    if (since === null && told && told !== before) {
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
