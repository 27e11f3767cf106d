/**
 * Prints `N passed, N failed` from the test runner's own JSON reports, added up; exit code 1 where one is absent or empty,
 * or a test failed. `--step-failed` stands for a step that failed without a test: it counts as one.
 */

import { readFileSync } from "node:fs";

const total = { passed: 0, failed: 0, skipped: 0 };
const paths = process.argv.slice(2).filter((argument) => argument !== "--step-failed");
for (const path of paths) {
  try {
    const report = JSON.parse(readFileSync(path, "utf8"));
    const isBroken = report.numPassedTests === 0 || report.numFailedTestSuites > 0; // a file that does not load
    total.passed += report.numPassedTests;
    total.failed += report.numFailedTests || (isBroken ? 1 : 0);
    total.skipped += report.numPendingTests;
  } catch (error) {
    console.log(`no test report: ${error instanceof Error ? error.message : error}`);
    total.failed++;
  }
}
if (total.failed === 0 && process.argv.includes("--step-failed")) total.failed = 1;
if (total.skipped > 0) console.log(`${total.skipped} skipped`);
console.log(`${total.passed} passed, ${total.failed} failed`);
if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
