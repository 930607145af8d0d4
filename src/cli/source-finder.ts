import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Finds source files that were compiled elsewhere: by ever shorter ends of their path, here and above the images. */
export function sourceFinder(images: readonly string[]): (file: string) => readonly string[] | undefined {
  const roots = [process.cwd()];
  for (const image of images) {
    for (let at = dirname(resolve(image)); at !== dirname(at); at = dirname(at)) roots.push(at);
  }
  const found = new Map<string, readonly string[] | undefined>();
  const look = (file: string): readonly string[] | undefined => {
    const steps = file.split('/');
    const ends = steps.map((_, i) => steps.slice(i).join('/')).filter((end) => end !== '');
    const paths = [file, ...ends.flatMap((end) => roots.map((root) => join(root, end)))];
    const path = paths.find((each) => existsSync(each));
    return path === undefined ? undefined : readFileSync(path, 'utf8').split('\n');
  };
  return (file) => {
    if (!found.has(file)) found.set(file, look(file));
    return found.get(file);
  };
}
