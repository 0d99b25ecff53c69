/*
 * Adds up the jest reports of every project that has tests, from a run or from Nx's cache.
 * usage: totals.js <exit status of the tests> <failed checks> <folder of further reports>
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [testStatus, failedChecks] = process.argv.slice(2, 4).map(Number);
const further = process.argv[4];

function readProjects() {
  const folder = mkdtempSync(join(tmpdir(), 'graph-'));
  try {
    const file = join(folder, 'graph.json');
    execFileSync('nx', ['graph', '--file', file], { stdio: ['ignore', 'ignore', 'inherit'] });
    return Object.values(JSON.parse(readFileSync(file, 'utf8')).graph.nodes);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** No report, or half a one, is what a crashed jest leaves. */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

const CRASHED = {
  success: false,
  numFailedTests: 0,
  numRuntimeErrorTestSuites: 1,
  numPassedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
};

/** A suite that does not load has no tests, failed or other. */
function count(report) {
  const failures = report.numFailedTests + report.numRuntimeErrorTestSuites;
  passed += report.numPassedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  failedTests += report.success ? failures : Math.max(failures, 1);
}

let passed = 0;
let skipped = 0;
let failedTests = 0;
let projects = [];
try {
  projects = readProjects();
} catch (error) {
  console.log(`the projects could not be read: ${error.message}`);
  failedTests += 1;
}
for (const { name, data } of projects) {
  for (const target of ['test', 'e2e'].filter((target) => target in data.targets)) {
    const report = readReport(join(data.root, 'test-results', `${target}.json`));
    if (!report) {
      console.log(`${name}:${target} left no results`);
      failedTests += 1;
      continue;
    }
    count(report);
  }
}
for (const file of readdirSync(further).filter((name) => name.endsWith('.json'))) {
  count(readReport(join(further, file)) ?? CRASHED);
}
// A run can end badly after its reports were written.
if (testStatus !== 0 && failedTests === 0) failedTests = 1;

const failed = failedTests + failedChecks;
console.log(`${skipped} skipped, ${failedChecks} checks failed`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
