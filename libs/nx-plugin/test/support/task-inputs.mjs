/*
 * Prints, for every task of the workspace in the current folder, the files that its hash covers: `{ "kernel:test": ["libs/…"] }`.
 * usage: task-inputs.mjs <target>...
 * A program of its own, because Nx keeps one workspace a process.
 */
import { createRequire } from 'node:module';
import { cwd } from 'node:process';

const require = createRequire(`${cwd()}/package.json`);
const { createProjectGraphAsync } = require('@nx/devkit');
const { readNxJson } = require('nx/src/config/configuration');
const { createTaskHasher } = require('nx/src/hasher/create-task-hasher');
const { createTaskGraph } = require('nx/src/tasks-runner/create-task-graph');

const graph = await createProjectGraphAsync();
const taskGraph = createTaskGraph(
  graph,
  {},
  Object.keys(graph.nodes),
  process.argv.slice(2),
  undefined,
  {},
);
const tasks = Object.values(taskGraph.tasks);
const environments = Object.fromEntries(tasks.map(({ id }) => [id, process.env]));
// Without a daemon it is the hasher of this process, which can also say what it read.
const hasher = /** @type {import('nx/src/hasher/task-hasher').InProcessTaskHasher} */ (
  createTaskHasher(graph, readNxJson())
);
const hashes = await hasher.hashTasks(tasks, taskGraph, environments, cwd(), true);
const inputs = Object.fromEntries(tasks.map(({ id }, index) => [id, hashes[index]?.inputs?.files]));
process.stdout.write(JSON.stringify(inputs), () => process.exit(0));
