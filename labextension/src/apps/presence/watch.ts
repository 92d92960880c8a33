/** What only a person does. A mouse that passes over is not among it. */
const INPUT = ['keydown', 'pointerdown', 'wheel', 'touchmove', 'input', 'paste', 'drop'];

/** How often to look for frames that are new, and at those that cannot be listened to. */
const LOOK_MS = 1000;

/**
 * Listen to a person's input in a page and in all frames in it.
 *
 * The same function is added again and again, which does nothing where it is there: a
 * document that is written anew loses what listened to it. Frames are found from above
 * alone, for VS Code has its own idea of what a parent is.
 *
 * @param page - where to begin, as it is at the time; null while there is none
 * @param above - the document around it that may tell of its use, if it is another site's
 * @param onUse - called for every input
 * @returns what ends it, but for listeners in pages that stay
 */
export function watch(
  page: () => Window | null,
  above: Document | null,
  onUse: () => void
): () => void {
  const onInput = ({ isTrusted }: Event): void => {
    if (isTrusted) {
      onUse();
    }
  };
  const see = (frame: Window | null | undefined, around: Document | null): void => {
    try {
      const within = frame?.document; // throws if it is another site's
      for (const name of frame ? INPUT : []) {
        frame?.addEventListener(name, onInput, { capture: true, passive: true });
      }
      for (let i = 0; i < (frame?.length ?? 0); i++) {
        see(frame?.[i], within ?? null);
      }
    } catch {
      if (isUsed(frame, around)) {
        onUse();
      }
    }
  };
  const look = (): void => {
    see(page(), above);
  };
  const timer = setInterval(look, LOOK_MS);
  look();
  return () => {
    clearInterval(timer);
  };
}

/**
 * Whether a person has just used a frame that cannot be listened to.
 *
 * A browser tells a page that somebody did something in it or in a frame of it, and the
 * focus tells in which.
 */
function isUsed(frame: Window | null | undefined, around: Document | null): boolean {
  const focused = around?.activeElement as Partial<HTMLIFrameElement> | null | undefined;
  // Older browsers have none.
  const { userActivation } = (around?.defaultView?.navigator ?? {}) as Partial<Navigator>;
  return (
    focused?.contentWindow === frame &&
    around?.hasFocus() === true &&
    userActivation?.isActive === true
  );
}
