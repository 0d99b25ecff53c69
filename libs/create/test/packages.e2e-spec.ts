import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { problemAffectsResolutionKind } from '@arethetypeswrong/core/problems';
import { PackageRegistry } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

import { PACKAGES, publishedPackages } from './packages.ts';

/** What publint has to say, suggestions included. */
async function lint(tarball: string): Promise<string[]> {
  const data = readFileSync(tarball);
  const { messages, pkg } = await publint({
    pack: { tarball: new Uint8Array(data).buffer },
    strict: true,
  });
  return messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
}

/** Where types and code part ways, for who imports ES modules: the packages are nothing else. `undefined`: no types. */
async function typeProblems(tarball: string): Promise<string[] | undefined> {
  const analysis = await checkPackage(
    createPackageFromTarballData(new Uint8Array(readFileSync(tarball))),
  );
  if (!analysis.types) return undefined;
  return analysis.problems
    .filter((problem) =>
      (['node16-esm', 'bundler'] as const).some((kind) =>
        problemAffectsResolutionKind(problem, kind, analysis),
      ),
    )
    .map((problem) => JSON.stringify(problem));
}

describe('what a release publishes', () => {
  let registry: PackageRegistry;
  beforeAll(async () => {
    registry = await publishedPackages();
  }, 120_000);
  afterAll(() => registry.stop());

  it('is every project that is not private', () => {
    const names = [...registry.tarballs.keys()];
    expect(names).toEqual(expect.arrayContaining(['@gatehouse/kernel', '@gatehouse/gateway']));
    expect(names.length).toBeGreaterThanOrEqual(23);
  });

  it('passes publint, to the last suggestion', async () => {
    const found: Record<string, string[]> = {};
    for (const [name, tarball] of registry.tarballs) {
      const messages = await lint(tarball);
      if (messages.length > 0) found[name] = messages;
    }
    expect(found).toEqual({});
  });

  it('has types that are right at every entry; programs have none', async () => {
    const found: Record<string, string[]> = {};
    const untyped: string[] = [];
    for (const [name, tarball] of registry.tarballs) {
      const problems = await typeProblems(tarball);
      if (problems === undefined) untyped.push(name.replace('@gatehouse/', ''));
      else if (problems.length > 0) found[name] = problems;
    }
    expect(found).toEqual({});
    const programs = ['audit', 'auth', 'authz', 'cli', 'create', 'gateway', 'identity'];
    expect(untyped.sort()).toEqual(programs);
  }, 120_000);

  it('would not pass with a declaration missing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-broken-'));
    cpSync(join(PACKAGES, 'contracts-auth'), folder, { recursive: true });
    rmSync(join(folder, 'dist', 'index.d.ts'));
    const broken = await PackageRegistry.of('@gatehouse', [folder]);
    try {
      const [tarball = ''] = broken.tarballs.values();
      expect(await lint(tarball)).not.toEqual([]);
      expect(await typeProblems(tarball)).not.toEqual([]);
    } finally {
      await broken.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
