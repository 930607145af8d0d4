/** Where the explanation begins. */
const INDENT = 40;
/** Below this width of a window, what explains a command stands below it. */
const NARROW = 70;

/** Words in lines of at most so many characters; a longer word has a line of its own. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** How a command is used and what it does, side by side or, where there is no room for that, one below the other. */
export function helpRow(usage: string, help: string, columns: number): string[] {
  const indent = columns < NARROW ? 4 : INDENT;
  const lines = wrapped(help, Math.max(20, columns - indent - 1));
  const below = usage.length + 1 > indent;
  const rows = lines.map((line, i) => `${(i === 0 && !below ? usage : '').padEnd(indent)}${line}`);
  return below ? [usage, ...rows] : rows;
}
