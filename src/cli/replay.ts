import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Replay } from '../board/inputs.js';
import { readRecording, type Recording } from '../board/recording.js';
import { snapshotOf, stateHash } from '../board/snapshot.js';
import { amenderOf } from '../debug/amendments.js';
import { processesOf } from '../debug/processes.js';
import { Headless } from '../console/headless.js';
import { boot, bootConfigured } from './boot.js';
import { shownStreams } from './console.js';
import type { EngineOptions } from '../launch/engine-options.js';
import { UsageError } from '../launch/errors.js';
import { treeOf } from '../launch/identity.js';
import { openStreams } from './input.js';
import type { Journal } from './journal.js';
import { insistOnSame, type Kept, type RecordingHeader, type Replays } from './keep.js';
import { run } from './run.js';
import type { Wiring } from '../launch/wiring.js';

/** A recording that could be read, whether or not it has its end. */
export type CompleteRecording = Exclude<Recording, { problem: string }>;

const say = (line: string): void => void process.stderr.write(`hv440: ${line}\n`);

/** The recording of a file; a UsageError says why there is none. */
export function readRecordingOf(file: string): CompleteRecording {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
  const recording = readRecording(text);
  if ('problem' in recording) throw new UsageError(`${file}: the file ${recording.problem}`);
  return recording;
}

/** `hv440 replay FILE`: the run that was recorded, exactly, with its console output. Gives the exit status. */
export async function replay(file: string, options: EngineOptions): Promise<number> {
  const recording = readRecordingOf(file);
  const { again, identity } = recording.header as RecordingHeader;
  const replays: Replays = (machine, now, wiring, journal) => {
    insistOnSame(file, identity, now);
    return play(machine, recording, wiring, journal);
  };
  const all = { ...again.options, ...options, keeping: { again, replays } };
  if (again.embedded) return bootConfigured({ tree: treeOf(identity, again.what), findings: [], checked: true }, all);
  return again.command === 'boot' ? boot(again.what, all) : run(again.what, all);
}

/** Cycles between two looks at the outside. */
const SLICE = 2_000_000;

async function play(
  machine: Kept,
  { inputs, complete }: CompleteRecording,
  { mux }: Wiring,
  journal: Journal,
): Promise<number> {
  machine.amender = amenderOf(processesOf(machine).flatMap(({ targets }) => targets));
  const streams = openStreams(mux, machine);
  const headless = new Headless({ out: process.stdout, ...shownStreams(streams) });
  mux.attach(headless);
  journal.listen((line) => {
    mux.flush();
    say(line);
  });
  const played = new Replay(machine, inputs);
  const last = inputs.length - (complete ? 1 : 0);
  for (;;) {
    const progress = played.run({}, SLICE);
    mux.flush();
    await mux.congested();
    if (played.ended || progress.kind !== 'ran') break;
    if (!complete && played.position >= last && machine.waitingInput === 0) break;
    await nextTurn();
  }
  await mux.close();
  const end = inputs.at(-1);
  if (end?.kind !== 'end' || !played.ended) {
    say(
      complete
        ? `the run stopped at cycle ${machine.clock.now}, and the recording goes on`
        : 'the recording ends here, before its run did',
    );
    return complete ? 1 : 0;
  }
  const same = stateHash(snapshotOf(machine)) === end.hash;
  say(
    same
      ? `replayed to cycle ${end.cycle}: the same state, bit by bit`
      : `at cycle ${end.cycle} the state is not the recorded one`,
  );
  return same ? 0 : 1;
}
