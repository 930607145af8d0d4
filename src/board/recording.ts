import { crc32 } from '../loader/crc32.js';
import type { RecordedInput } from './inputs.js';

/**
 * A run as a file of lines, each a CRC-32 in eight hexadecimal digits, a space and JSON: what the run is of, then every input as it
 * came, then the end. What was written counts, however the writer ended.
 */
const VERSION = 1;

interface First {
  readonly hv440: 'recording';
  readonly version: number;
  readonly header: unknown;
}

const line = (value: unknown): string => {
  const json = JSON.stringify(value);
  return `${crc32(new TextEncoder().encode(json)).toString(16).padStart(8, '0')} ${json}\n`;
};

export const recordingStart = (header: unknown): string => {
  const first: First = { hv440: 'recording', version: VERSION, header };
  return line(first);
};

export const recordingLine = (input: RecordedInput): string => line(input);

export type Recording =
  | { readonly header: unknown; readonly inputs: readonly RecordedInput[]; readonly complete: boolean }
  | { readonly problem: string };

/** The recording of a text, or why there is none; a line that is cut off at the end is left out. */
export function readRecording(text: string): Recording {
  const lines = text.split('\n');
  const cutOff = lines.pop() !== '';
  const values: unknown[] = [];
  for (const [i, each] of lines.entries()) {
    const json = each.slice(9);
    const sum = crc32(new TextEncoder().encode(json)).toString(16).padStart(8, '0');
    if (`${sum} ` !== each.slice(0, 9))
      return { problem: i === 0 ? 'is no recording of hv440’s' : `is damaged in line ${i + 1}; copy it again` };
    values.push(JSON.parse(json));
  }
  const [first, ...inputs] = values as [First | undefined, ...RecordedInput[]];
  if (first?.hv440 !== 'recording') return { problem: cutOff ? 'is cut off' : 'is no recording of hv440’s' };
  if (first.version !== VERSION)
    return { problem: `has version ${first.version} of the format, and this hv440 has ${VERSION}; record it again` };
  return { header: first.header, inputs, complete: inputs.at(-1)?.kind === 'end' };
}
