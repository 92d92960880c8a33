/** How much is sent for how good a picture. */
export type Quality = 'balanced' | 'sharp' | 'fast';

/** Of JPEG, and the effort for what is not JPEG; both as noVNC takes them, from 0 to 9. */
export const LEVELS: Readonly<
  Record<Quality, { readonly quality: number; readonly compression: number }>
> = {
  balanced: { quality: 6, compression: 2 },
  sharp: { quality: 9, compression: 1 },
  fast: { quality: 2, compression: 6 }
};

const KEY = 'jupyter-einfra:desktop-quality';

/** Whether it is one; a page may find anything where it keeps things. */
export function isQuality(value: unknown): value is Quality {
  return typeof value === 'string' && Object.hasOwn(LEVELS, value);
}

/** What was chosen last in this browser. */
export function rememberedQuality(): Quality {
  try {
    const stored = window.localStorage.getItem(KEY);
    return isQuality(stored) ? stored : 'balanced';
  } catch {
    return 'balanced'; // not allowed, so not known
  }
}

export function rememberQuality(quality: Quality): void {
  try {
    window.localStorage.setItem(KEY, quality);
  } catch {
    // Not allowed: it holds until the page is closed.
  }
}
