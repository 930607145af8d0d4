// Prints `PASSED FAILED` of a report by vitest's JSON reporter, for .ci/run. What did not run counts as failed.

import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
let passed = 0;
let failed = 0;
for (const { name, status, assertionResults } of report.testResults) {
  for (const test of assertionResults) {
    if (test.status === 'passed') passed++;
    else failed++;
    if (!['passed', 'failed'].includes(test.status)) process.stderr.write(`not run: ${test.fullName} (${name})\n`);
  }
  if (status === 'failed' && assertionResults.every((test) => test.status === 'passed')) failed++;
}
process.stdout.write(`${passed} ${failed}\n`);
