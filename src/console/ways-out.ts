const fatalSignals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

const cleanups = new Set<() => void>();

/**
 * Have `cleanup` called, synchronously, whichever way this process ends: `exit`, SIGHUP, SIGINT, SIGTERM or an uncaught
 * exception (SIGKILL gives no chance). A signal that nobody else listens to then ends the process as it would have;
 * otherwise the end is the other listener's business. The result takes the cleanup back, for a thing put right earlier.
 */
export function onWayOut(cleanup: () => void): () => void {
  if (cleanups.size === 0) listen();
  cleanups.add(cleanup);
  return () => {
    if (cleanups.delete(cleanup) && cleanups.size === 0) ignore();
  };
}

function listen(): void {
  process.on('exit', runAll);
  process.on('uncaughtExceptionMonitor', runAll);
  for (const signal of fatalSignals) process.on(signal, onSignal);
}

function ignore(): void {
  process.off('exit', runAll);
  process.off('uncaughtExceptionMonitor', runAll);
  for (const signal of fatalSignals) process.off(signal, onSignal);
}

function onSignal(signal: NodeJS.Signals): void {
  const others = process.listenerCount(signal) > 1;
  runAll();
  if (others) return;
  ignore();
  process.kill(process.pid, signal);
}

function runAll(): void {
  for (const cleanup of [...cleanups].reverse()) {
    try {
      cleanup();
    } catch {
      // the process is ending: the other cleanups still have to run, and there is nobody left to tell
    }
  }
}
