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
