/** Where Lab's page leaves what a page of ours cannot ask it for. */
export const LANGUAGE_KEY = 'jupyter-einfra:language';

/** Whether the page is in a tab of Lab. */
export function isFramed(): boolean {
  return window.parent !== window;
}

/** The language of Lab where that is known, else the browser's. */
export function languages(): string[] {
  const chosen: string[] = [];
  try {
    const stored = window.localStorage.getItem(LANGUAGE_KEY);
    if (stored) {
      chosen.push(stored);
    }
  } catch {
    // Not allowed, so not known.
  }
  return [...chosen, ...navigator.languages];
}

/** In a tab of Lab the page is as dark as Lab is, not as the browser. */
export function followTheme(): void {
  if (!isFramed()) {
    return;
  }
  try {
    const { body } = window.parent.document;
    const follow = (): void => {
      const { jpThemeLight } = body.dataset;
      if (jpThemeLight !== undefined) {
        document.documentElement.dataset['theme'] =
          jpThemeLight === 'true' ? 'light' : 'dark';
      }
    };
    follow();
    new MutationObserver(follow).observe(body, {
      attributeFilter: ['data-jp-theme-light']
    });
  } catch {
    // A frame of somebody else's.
  }
}
