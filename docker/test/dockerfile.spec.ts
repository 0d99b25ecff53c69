import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { serviceEnvironment } from '@gatehouse/launcher';
import { validate } from 'dockerfile-utils';
import { readDockerfile } from './support/dockerfile.ts';
import { declaredVariables, OTHER_VARIABLES, read, WORKSPACE } from './support/workspace.ts';

const FILE = 'docker/Dockerfile';

describe(FILE, () => {
  const { defaults, stages } = readDockerfile(join(WORKSPACE, FILE));
  const last = stages.at(-1)!.steps;
  const only = (keyword: string) => {
    const steps = last.filter((step) => step.keyword === keyword);
    expect(steps).toHaveLength(1);
    return steps[0]!;
  };
  const env = Object.fromEntries(
    last.flatMap(({ keyword, pairs }) => (keyword === 'ENV' ? pairs : [])),
  );

  it('has no fault that a linter finds', () => {
    expect(validate(read(FILE))).toEqual([]);
  });

  it('begins every stage from one image of a version, that of the Node the project is tested on', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: Record<string, string>;
    };
    expect(defaults.NODE_IMAGE).toMatch(new RegExp(`^node:${devDependencies.node}-[a-z]+-slim$`));
    const before = stages.map(({ name }) => name);
    for (const { from } of stages) expect(['${NODE_IMAGE}', ...before]).toContain(from);
    const base = last.flatMap(({ pairs }) => pairs).find(([name]) => name.endsWith('.base.name'));
    expect(base?.[1]).toBe(defaults.NODE_IMAGE);
  });

  it('copies from the context and from stages what is there', () => {
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] };
    expect(workspaces.length).toBeGreaterThan(0);
    for (const { steps } of stages) {
      for (const { keyword, flags } of steps) {
        if (keyword !== 'COPY' || flags.from === undefined) continue;
        expect(stages.map(({ name }) => name)).toContain(flags.from);
      }
    }
    const allowed = read('docker/Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    for (const path of allowed)
      expect({ path, there: existsSync(join(WORKSPACE, path)) }).toEqual({ path, there: true });
    const used = stages.flatMap(({ steps }) => steps).map(({ text }) => text);
    for (const script of [
      'docker/image/manifests.js',
      'docker/image/files.js',
      'apps/cli/bin/build.js',
    ]) {
      expect(used.some((text) => text.includes(script))).toBe(true);
      expect(existsSync(join(WORKSPACE, script))).toBe(true);
    }
  });

  it('runs as a user by number who is not root, without a shell', () => {
    expect(only('USER').text).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(only('ENTRYPOINT').text).toMatch(/^\["node", /);
    expect(only('HEALTHCHECK').text).toMatch(/^CMD \["node", /);
    expect(last.map(({ keyword }) => keyword)).not.toContain('RUN');
    expect(last.map(({ keyword }) => keyword)).not.toContain('CMD');
  });

  it('sets variables that the code reads, and exposes the ports they name', () => {
    const known = declaredVariables();
    for (const name of Object.keys(env)) {
      expect(known.has(name) || OTHER_VARIABLES.has(name) ? name : `${name} is not read`).toBe(
        name,
      );
    }
    expect(only('EXPOSE').words).toEqual([env.HTTP_PORT, env.GRPC_PORT, env.ADMIN_PORT]);
    const launched = serviceEnvironment({}, { credentialsDir: '/', issuer: '' });
    expect(env.MALLOC_MMAP_THRESHOLD_).toBe(launched.MALLOC_MMAP_THRESHOLD_);
  });

  it('says what it is in the words of the OCI, and where its bill of materials lies', () => {
    const labels = Object.fromEntries(
      last.flatMap(({ keyword, pairs }) => (keyword === 'LABEL' ? pairs : [])),
    );
    for (const name of ['title', 'description', 'licenses', 'version', 'revision', 'created']) {
      expect(labels).toHaveProperty([`org.opencontainers.image.${name}`]);
    }
    const { license } = JSON.parse(read('package.json')) as { license: string };
    expect(labels['org.opencontainers.image.licenses']).toBe(license);
  });
});
