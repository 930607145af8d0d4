import { bundled } from './bundled.js';
import { giveWay, optimizeLater, takeInterpreter, tellV8 } from './v8.js';

/** As of a program that SIGPIPE has ended. */
const EPIPE_STATUS = 128 + 13;

/** As Node ends a module that waits for what nothing will bring. */
const UNSETTLED_STATUS = 13;

/** The whole program: `hv440` with these arguments, out of the bundle, or out of its modules where that is not there. */
export async function start(args: readonly string[]): Promise<void> {
  // Whoever read what is printed has seen enough, as `head` has; one who wants to end in order listens himself
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (stream.listenerCount('error') > 1) return;
      if (error.code !== 'EPIPE') throw error;
      process.exit(EPIPE_STATUS);
    });
  const unsettled = (): void => void (process.exitCode ??= UNSETTLED_STATUS);
  process.on('exit', unsettled);
  tellV8();
  giveWay(args[0]);
  takeInterpreter(args[0]);
  const { main } = bundled() ?? (await import('./program.js'));
  optimizeLater(args);
  await main(args).finally(() => process.off('exit', unsettled));
  await leave();
}

/** All is done: end once it is printed. Left to run out, Node would first have V8 compile what it has begun to, for 5 to 30 ms. */
async function leave(): Promise<never> {
  for (const stream of [process.stdout, process.stderr])
    if (stream.writableLength > 0) await new Promise((done) => stream.write('', done));
  process.exit();
}
