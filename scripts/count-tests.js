/** Prints `N passed, N failed` from the test runner's own JSON report; exit code 1 where it is absent or a test failed. */

import { readFileSync } from "node:fs";

try {
  const report = JSON.parse(readFileSync(process.argv[2], "utf8"));
  const failed = report.numFailedTests + (report.numFailedTestSuites > 0 && report.numFailedTests === 0 ? 1 : 0);
  if (report.numPendingTests > 0) console.log(`${report.numPendingTests} skipped`);
  console.log(`${report.numPassedTests} passed, ${failed} failed`);
  if (failed > 0 || report.numPassedTests === 0) process.exitCode = 1;
} catch (error) {
  console.log(`no test report: ${error instanceof Error ? error.message : error}`);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
}
