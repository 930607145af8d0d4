/**
 * The path of a file that another file names, as POSIX joins them: relative to the directory of the naming file,
 * with `.` and `..` taken out.
 */
export function joinPath(from: string, name: string): string {
  const slash = from.lastIndexOf('/');
  const joined = name.startsWith('/') || slash < 0 ? name : `${from.slice(0, slash)}/${name}`;
  const parts: string[] = [];
  for (const part of joined.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!joined.startsWith('/')) parts.push(part);
  }
  return (joined.startsWith('/') ? '/' : '') + parts.join('/') || '.';
}

/** Gets a file that another names, and the path it was found at; without bytes, the path where it was looked for first. */
export type FindFile = (
  from: string,
  name: string,
) => { readonly path: string; readonly bytes: Uint8Array | undefined };

/** Looks for files beside the file that names them, and then in these folders. */
export const findFile =
  (read: (path: string) => Uint8Array | undefined, folders: readonly string[]): FindFile =>
  (from, name) => {
    const places = [joinPath(from, name), ...folders.map((folder) => joinPath(`${folder}/.`, name))];
    for (const path of places) {
      const bytes = read(path);
      if (bytes) return { path, bytes };
    }
    return { path: places[0]!, bytes: undefined };
  };
