import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { WorkspaceCopy } from './support/workspace-copy.ts';

/** What CI asks for: `nx affected -t lint typecheck test build e2e`. */
const TARGETS = ['lint', 'typecheck', 'test', 'build', 'e2e'];

/** Of each project, the targets that run; `*` is every project that has the target. */
type Runs = Record<string, string>;

const CODE = 'lint typecheck test build';
/** Of a project that is not changed but uses what is. */
const USER = 'lint typecheck test';
/** Suites that start the whole platform, in this workspace or from its packages: they name every service. */
const PLATFORM: Runs = {
  cli: 'e2e',
  create: 'e2e',
  docker: 'e2e',
  gateway: 'e2e',
  'nx-plugin': 'e2e',
  'testing-platform': 'e2e',
};

/**
 * A task runs where `nx affected` selects its project and a file that changed is among those its hash covers. The other
 * tasks of a selected project come from the cache that CI keeps.
 */
const TABLE: { change: string; file: string; runs: Runs }[] = [
  {
    change: 'the code of a service',
    file: 'apps/identity/src/identity.module.ts',
    runs: { identity: `${CODE} e2e`, ...PLATFORM },
  },
  {
    change: 'the code of a service that a page links to',
    file: 'apps/identity/src/users/users.controller.ts',
    runs: { identity: `${CODE} e2e`, ...PLATFORM, docs: 'test' },
  },
  {
    change: 'a proto',
    file: 'libs/contracts/identity/proto/gatehouse/identity/v1/identity.proto',
    runs: {
      'contracts-identity': CODE,
      identity: `${USER} e2e`,
      auth: `${USER} e2e`,
      authz: `${USER} e2e`,
      cli: `${USER} e2e`,
      create: 'e2e',
      docker: 'e2e',
      gateway: `${USER} e2e`,
      'nx-plugin': 'e2e',
      'testing-platform': 'e2e',
    },
  },
  {
    change: 'the kernel',
    file: 'libs/kernel/src/index.ts',
    runs: {
      kernel: `${CODE} e2e`,
      persistence: USER,
      discovery: USER,
      'event-bus': USER,
      clients: USER,
      cache: USER,
      guards: `${USER} e2e`,
      launcher: USER,
      'testing-platform': 'lint typecheck e2e',
      identity: `${USER} e2e`,
      auth: `${USER} e2e`,
      authz: `${USER} e2e`,
      audit: `${USER} e2e`,
      cli: `${USER} e2e`,
      create: 'e2e',
      deploy: USER,
      docker: `${USER} e2e`,
      docs: USER,
      gateway: `${USER} e2e`,
      'nx-plugin': 'e2e',
    },
  },
  { change: 'a page of docs/', file: 'docs/architecture.md', runs: { docs: 'test' } },
  { change: 'the page of a library', file: 'libs/cache/README.md', runs: { docs: 'test' } },
  { change: 'the README', file: 'README.md', runs: { docs: 'test', cli: 'e2e' } },
  {
    change: 'the tutorial',
    file: 'docs/add-a-service.md',
    runs: { docs: 'test', 'nx-plugin': 'e2e' },
  },
  {
    change: 'a test of a service',
    file: 'apps/identity/test/users.int-spec.ts',
    runs: { identity: 'lint typecheck test' },
  },
  {
    change: 'an end-to-end test of a service',
    file: 'apps/identity/test/identity.e2e-spec.ts',
    runs: { identity: 'lint typecheck e2e' },
  },
  {
    change: 'a test of what all use',
    file: 'libs/kernel/test/http.spec.ts',
    runs: { kernel: 'lint typecheck test' },
  },
  {
    change: 'a generator template',
    file: 'libs/nx-plugin/src/generators/service/files/planted.ts.template',
    runs: { 'nx-plugin': 'lint typecheck test e2e' },
  },
  {
    change: 'what gives every project its targets',
    file: 'libs/nx-plugin/src/inference/targets.js',
    runs: { '*': TARGETS.join(' ') },
  },
  {
    change: 'the compiler options',
    file: 'tsconfig.base.json',
    runs: { '*': TARGETS.join(' ') },
  },
  {
    change: 'the lint rules',
    file: 'eslint.config.mjs',
    runs: { '*': 'lint', create: 'lint test', 'nx-plugin': 'lint test' },
  },
];

describe('what CI runs after a change of', () => {
  let copy: WorkspaceCopy;
  let inputs: Record<string, string[]>;
  beforeAll(async () => {
    copy = new WorkspaceCopy(['libs/nx-plugin/src/generators/service/files/planted.ts.template']);
    // Without what these depend on besides: packages are laid out for the suites that install them.
    const all = Object.entries(await copy.taskInputs(TARGETS));
    inputs = Object.fromEntries(all.filter(([task]) => TARGETS.includes(targetOf(task))));
  });
  afterAll(() => copy.remove());

  it.each(TABLE)('$change', async ({ file, runs }) => {
    const selected = await copy.affectedProjects(copy.change(file));
    const changed = Object.keys(inputs).filter((task) => inputs[task]?.includes(file));
    expect(changed.sort()).toEqual(tasksOf(runs));
    // A task whose inputs changed and that nobody runs would keep a result that is no longer true.
    expect(changed.filter((task) => !selected.includes(projectOf(task)))).toEqual([]);
  });

  function tasksOf(runs: Runs): string[] {
    const tasks = Object.entries(runs).flatMap(([project, targets]) =>
      targets
        .split(' ')
        .flatMap((target) =>
          project === '*'
            ? Object.keys(inputs).filter((task) => task.endsWith(`:${target}`))
            : `${project}:${target}`,
        ),
    );
    return [...new Set(tasks)].sort();
  }
});

const projectOf = (task: string) => task.slice(0, task.indexOf(':'));
const targetOf = (task: string) => task.slice(task.indexOf(':') + 1);
