import type { TranslationBundle } from '@jupyterlab/translation';

import { isFramed } from './around';

/** Makes an element with a class of ours. */
export type Make = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  name: string
) => HTMLElementTagNameMap[K];

/** What makes elements of which all classes begin alike. */
export function maker(prefix: string): Make {
  return (tag, name) => {
    const element = document.createElement(tag);
    element.className = `${prefix}-${name}`;
    return element;
  };
}

/** A way back. */
export interface ILink {
  readonly label: string;
  readonly href: string;
}

/** The ways back from a page of ours; in a tab of Lab nobody needs one. */
export function linksOf(
  { lab, hub }: { readonly lab: string; readonly hub: string | null },
  trans: TranslationBundle
): ILink[] {
  return isFramed()
    ? []
    : [
        { label: trans.__('Back to JupyterLab'), href: lab },
        ...(hub === null ? [] : [{ label: trans.__('Hub'), href: hub }])
      ];
}

/** Draw them. */
export function waysOf(links: readonly ILink[], make: Make): HTMLElement {
  const ways = make('nav', 'ways');
  ways.append(
    ...links.map(({ label, href }) => {
      const link = make('a', 'link');
      link.textContent = label;
      link.href = href;
      link.target = '_top';
      return link;
    })
  );
  return ways;
}
