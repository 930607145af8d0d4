// A guest that manages another: all that it prints, and all that the other does.

import { expect, test } from 'vitest';
import { cli } from '../tools.js';

test('devicetrees/manager.dts: the manager starts, stops, restarts, reads, wakes and shuts down its worker', async () => {
  const { status, stdout, stderr } = await cli(['boot', 'devicetrees/manager.dts', '--headless']);
  expect(stdout.replaceAll('\r', '').split('\n')).toEqual([
    "manager| manager of 'worker', which is stopped",
    'manager| start: status 0, the worker is running',
    'manager| start again: status 11, the worker is running',
    'worker| worker: last stopped by nobody, reason none',
    "manager| in its memory: bootargs are 'worker'",
    'manager| stop: status 0, the worker is stopped',
    'manager| outside its memory: status 6',
    "manager| label: status 0, 'worker'",
    'manager| new bootargs: status 0',
    'manager| start: status 0, the worker is running',
    'worker| worker: last stopped by manager, reason stop',
    "manager| in its memory: bootargs are 'worker with news'",
    'manager| restart: status 0, the worker is running',
    'worker| worker: last stopped by manager, reason restart',
    "manager| in its memory: bootargs are 'worker with news'",
    'worker| worker: woken, its watchdog runs',
    'manager| its watchdog has expired, and it is running',
    'worker| worker: told to shut down',
    'manager| shut down: the worker is stopped',
    "manager| somebody else's handle: status 8",
    '',
  ]);
  expect(stderr.split('\n').map((line) => line.replace(/^hv440: partition /, ''))).toEqual([
    "'worker' waits to be started",
    "'worker' was started",
    "'worker' was stopped by its manager",
    "'worker' was started",
    "'worker' ended with status 0",
    "'manager' ended with status 0",
    '',
  ]);
  expect(status).toBe(0);
});
