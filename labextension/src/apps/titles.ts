import { tidy } from '../api/blanks';
import type { Instance } from './model';

/**
 * Name a tab by what its address shows beside the application: "VS Code: notes.txt".
 *
 * @param url - of the instance, maybe with a query that names a folder, or a file in it
 */
export function titleOf({ title }: Pick<Instance, 'title'>, url: string): string {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const path = fileOf(query.get('payload')) ?? query.get('folder') ?? '';
  const name = tidy(path.split('/').filter(Boolean).at(-1) ?? path);
  return name ? `${title}: ${name}` : title;
}

/** The file that VS Code is to open, as its address says it. */
function fileOf(payload: string | null): string | null {
  try {
    const entries = new Map(JSON.parse(payload ?? '[]') as [string, string][]);
    const file = entries.get('openFile');
    return file === undefined ? null : decodeURIComponent(new URL(file).pathname);
  } catch {
    return null; // somebody else's
  }
}
