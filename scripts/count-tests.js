/**
 * Prints `N passed, N failed` from the test runner's own JSON reports, added up; exit code 1 where one is absent or empty,
 * or a test failed.
 */

import { readFileSync } from "node:fs";

const total = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  try {
    const report = JSON.parse(readFileSync(path, "utf8"));
    // A file that does not load, or an error outside of any test, fails no test.
    const isBroken = report.numPassedTests === 0 || report.numFailedTestSuites > 0 || !report.success;
    total.passed += report.numPassedTests;
    total.failed += report.numFailedTests || (isBroken ? 1 : 0);
    total.skipped += report.numPendingTests;
  } catch (error) {
    console.log(`no test report: ${error instanceof Error ? error.message : error}`);
    total.failed++;
  }
}
if (total.skipped > 0) console.log(`${total.skipped} skipped`);
console.log(`${total.passed} passed, ${total.failed} failed`);
if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
