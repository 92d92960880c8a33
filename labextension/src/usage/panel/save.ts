/** Time for the browser to begin to read a file. */
const READ_MS = 60_000;

/** Let the browser put a file into the user's downloads. */
export function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  const { href } = Object.assign(link, { href: URL.createObjectURL(file) });
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(href);
  }, READ_MS);
}
