import { PathExt } from '@jupyterlab/coreutils';

import type { App } from './model';

/** What the file browser tells of an item. */
export interface IItem {
  readonly type: string;
  readonly path: string;
}

/** What an application is to be opened on for an item of the file browser. */
export interface ITarget {
  readonly path: string;

  /** Whether it is the item itself, and not the folder that it is in. */
  readonly isItem: boolean;
}

/**
 * Tell what an application can do with an item; null if nothing.
 *
 * A notebook stands for its folder where it cannot be opened itself: what it writes, a
 * TensorBoard's runs say, is most likely there.
 */
export function targetOf(app: App, { type, path }: IItem): ITarget | null {
  if (type === 'directory') {
    return app.opens_folders ? { path, isItem: true } : null;
  }
  const name = path.toLowerCase();
  const { file_suffixes: suffixes } = app;
  const fits = suffixes.length === 0 || suffixes.some(suffix => name.endsWith(suffix));
  if (app.opens_files && fits) {
    return { path, isItem: true };
  }
  return app.opens_folders && type === 'notebook'
    ? { path: PathExt.dirname(path), isItem: false }
    : null;
}

/** Where in the file browser an application has something to do. */
export function selectorsOf(app: App): string[] {
  const item = '.jp-DirListing-item';
  return [
    ...(app.opens_files
      ? [`${item}[data-isdir="false"]`]
      : app.opens_folders
        ? [`${item}[data-file-type="notebook"]`]
        : []),
    ...(app.opens_folders ? [`${item}[data-isdir="true"]`] : [])
  ];
}
