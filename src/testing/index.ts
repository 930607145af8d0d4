// `hv440/testing`: configurations under test (docs/testing.md).

export { boot, type BootOptions, type Config } from './boot.js';
export type { Ban, ConsoleStream, Within } from './console-stream.js';
export type { Duration } from './duration.js';
export { BoardError, type Circumstances } from './failure.js';
export { snapshotFixture, type FixtureOptions, type SnapshotFixture } from './fixture.js';
export type { Injector, InterruptName } from './injector.js';
export { matchers } from './matchers.js';
export type { Match, Pattern } from './pattern.js';
export { Random } from './random.js';
export type { TestBoard, Until } from './test-board.js';
export type { Address, Registers, Space, TestPartition } from './test-partition.js';
export { TestSnapshot } from './test-snapshot.js';
