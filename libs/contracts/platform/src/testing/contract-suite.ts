import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import protobuf from 'protobufjs';

import type { EventCatalogue } from '../events/event-catalogue.ts';
import type { GrpcContract } from '../grpc-contract.ts';

const run = promisify(execFile);

/** Every file under a folder with its text, by path; empty where the folder is missing. */
async function filesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(
    files.map(
      async (file) => [file.slice(folder.length + 1), await readFile(file, 'utf8')] as const,
    ),
  );
  return Object.fromEntries(texts.sort(([a], [b]) => a.localeCompare(b)));
}

/**
 * What holds for every contract project. One that serves gRPC needs `buf` on the PATH (npm's `node_modules/.bin`), and git
 * for the check of breaking changes.
 *
 * @param project the project's folder: `new URL('../', import.meta.url)`
 * @param offers.contracts every gRPC service of the project; none where it offers events alone
 */
export function describeContract(
  project: URL,
  { contracts, events }: { contracts: readonly GrpcContract[]; events: EventCatalogue },
): void {
  const folder = fileURLToPath(project);

  describe(`the contract of ${events.service}`, () => {
    it('has one JSON schema for each of its events, up to date', async () => {
      const committed = Object.entries(await filesOf(join(folder, 'schemas'))).map(
        ([name, text]) => [name, JSON.parse(text) as unknown] as const,
      );
      expect(Object.fromEntries(committed)).toEqual(
        Object.fromEntries(
          events.types.map((type) => [`${type}.schema.json`, events.jsonSchemaOf(type)]),
        ),
      );
    });

    // Jest takes an empty table for a mistake.
    if (contracts.length === 0) return;
    describeProto(folder);

    it.each(contracts)('serves $serviceName from the .proto it names', async (contract) => {
      const root = new protobuf.Root();
      root.resolvePath = (_origin, target) =>
        target === contract.protoPath ? target : join(contract.includeDirs[0] ?? '', target);
      await root.load(contract.protoPath);
      const service = root.lookupService(`${contract.package}.${contract.serviceName}`);
      expect(service.methodsArray.length).toBeGreaterThan(0);
    });

    it.each(contracts)(
      'has error classes of $serviceName named after their codes',
      ({ errors }) => {
        for (const { name, code } of errors.classes()) {
          expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
          if (code === 'UNAUTHENTICATED') continue;
          expect(name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()).toBe(code);
        }
      },
    );
  });
}

function describeProto(folder: string): void {
  const tools = new URL('../../tools/', import.meta.url);
  let scratch: string;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'gatehouse-contract-'));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it('has generated types that are up to date with its .proto', async () => {
    await run('buf', ['generate', '--output', scratch], { cwd: folder });
    const fresh = await filesOf(join(scratch, 'src/generated'));
    expect(Object.keys(fresh)).not.toHaveLength(0);
    expect(await filesOf(join(folder, 'src/generated'))).toEqual(fresh);
  });

  it('passes buf lint', async () => {
    await expect(run('buf', ['lint'], { cwd: folder })).resolves.toMatchObject({ stdout: '' });
  });

  it('breaks no caller of the version on main', async () => {
    const script = fileURLToPath(new URL('breaking.mjs', tools));
    await expect(run(process.execPath, [script, folder])).resolves.toBeDefined();
  });
}
