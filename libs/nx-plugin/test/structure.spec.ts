import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from '@jest/globals';
import { createProjectGraphAsync, type ProjectGraph } from '@nx/devkit';
import { ESLint } from 'eslint';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const BOUNDARIES = '@nx/enforce-module-boundaries';

// The rules about structure need no types: without them a file is judged in milliseconds.
const eslint = new ESLint({
  cwd: root,
  overrideConfig: [
    { languageOptions: { parserOptions: { projectService: false, project: false } } },
  ],
  ruleFilter: ({ ruleId }) => ruleId === BOUNDARIES || ruleId === 'no-restricted-imports',
});

/** What lint says of these words, were they all of the file. */
async function verdict(file: string, code: string): Promise<string[]> {
  const results = await eslint.lintText(`${code}\n`, { filePath: `${root}${file}` });
  return results.flatMap(({ messages }) =>
    messages.map((message) => message.ruleId ?? message.message),
  );
}

const importOf = (name: string) => `import * as it from '${name}';\nexport default it;`;

describe('an import', () => {
  it.each([
    ['goes up a layer', 'libs/kernel/src/index.ts', '@gatehouse/persistence'],
    ['goes up two layers', 'libs/persistence/src/index.ts', '@gatehouse/guards'],
    ['goes sideways', 'libs/discovery/src/index.ts', '@gatehouse/event-bus'],
    ['goes sideways higher up', 'libs/cache/src/index.ts', '@gatehouse/clients'],
    [
      'takes a service’s contract into the kernel',
      'libs/kernel/src/index.ts',
      '@gatehouse/contracts-auth',
    ],
    [
      'takes a service’s contract into the clients',
      'libs/clients/src/index.ts',
      '@gatehouse/contracts-authz',
    ],
    [
      'takes a contract into the guards that they do not need',
      'libs/guards/src/index.ts',
      '@gatehouse/contracts-identity',
    ],
    ['takes a library into a contract', 'libs/contracts/auth/src/index.ts', '@gatehouse/kernel'],
    [
      'takes anything of ours into the plugin',
      'libs/nx-plugin/src/index.js',
      '@gatehouse/contracts-platform',
    ],
    [
      'takes anything of ours into testing',
      'libs/testing/src/index.ts',
      '@gatehouse/contracts-platform',
    ],
    ['reaches into another app', 'apps/identity/src/main.ts', '../../auth/src/main.ts'],
    [
      'reaches into an app from a library',
      'libs/guards/src/index.ts',
      '../../../apps/auth/src/main.ts',
    ],
    [
      'reaches into another project past its index',
      'apps/identity/src/main.ts',
      '../../../libs/kernel/src/index.ts',
    ],
  ])('that %s fails lint', async (_what, file, name) => {
    expect(await verdict(file, importOf(name))).toEqual([BOUNDARIES]);
  });

  it('of the event bus of @nestjs/cqrs fails lint: it would publish in process', async () => {
    const code = "import { EventBus } from '@nestjs/cqrs';\nexport default EventBus;";
    expect(await verdict('apps/identity/src/main.ts', code)).toEqual(['no-restricted-imports']);
  });

  it.each([
    ['goes down a layer', 'libs/persistence/src/index.ts', '@gatehouse/kernel'],
    ['goes down many', 'libs/guards/src/index.ts', '@gatehouse/contracts-platform'],
    [
      'takes the contract of a service that is called',
      'apps/authz/src/main.ts',
      '@gatehouse/contracts-identity',
    ],
    [
      'takes the contract the guards are made for',
      'libs/guards/src/index.ts',
      '@gatehouse/contracts-authz',
    ],
  ])('that %s passes', async (_what, file, name) => {
    expect(await verdict(file, importOf(name))).toEqual([]);
  });
});

describe('the project graph', () => {
  it('has no cycle', async () => {
    process.env.NX_DAEMON = 'false';
    const graph = await createProjectGraphAsync({ exitOnError: false });
    expect(Object.keys(graph.nodes)).toEqual(
      expect.arrayContaining(['gateway', 'kernel', 'guards']),
    );
    expect(cyclesOf(graph)).toEqual([]);
  });
});

describe('the end-to-end tests of a project', () => {
  const projects = globSync('{apps,libs,libs/contracts}/*/project.json', { cwd: root });
  const startsPlatform = (folder: string) =>
    globSync('test/**/*.ts', { cwd: `${root}${folder}` }).some((file) =>
      /from '@gatehouse\/testing-platform'|startPlatform\(/.test(
        readFileSync(`${root}${folder}/${file}`, 'utf8'),
      ),
    );

  it('wait for every app to be built, and run when any changes, where they start the platform', () => {
    const found = projects.map((file) => file.slice(0, -'/project.json'.length));
    const starting = found.filter(startsPlatform);
    expect(starting).toContain('apps/gateway');
    const tagged = found.filter((folder) => {
      const { tags } = JSON.parse(readFileSync(`${root}${folder}/project.json`, 'utf8')) as {
        tags: string[];
      };
      return tags.includes('uses:platform');
    });
    expect(tagged.sort()).toEqual(starting.sort());
  });
});

/** Each cycle as the path that closes it. */
function cyclesOf({ nodes, dependencies }: ProjectGraph): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) {
      cycles.push([...path.slice(path.indexOf(name)), name].join(' -> '));
      return;
    }
    if (done.has(name)) return;
    for (const { target } of dependencies[name] ?? []) {
      if (target in nodes) visit(target, [...path, name]);
    }
    done.add(name);
  };
  for (const name of Object.keys(nodes)) visit(name, []);
  return cycles;
}
