import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandRegistry, createService, KernelModule, runInScope } from '@gatehouse/kernel';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Database } from './database/database.ts';
import type { Migration } from './migrations/migration.ts';
import { PersistenceModule } from './persistence.module.ts';
import { provisionedDatabase, type ProvisionedDatabase } from './testing/index.ts';

const first = { name: '0001', up: 'CREATE TABLE ware (id int)' };
const second = { name: '0002', up: 'ALTER TABLE ware ADD COLUMN name text' };

function moduleWith(migrations: Migration[]): Type {
  @Module({
    imports: [
      KernelModule.forService(),
      PersistenceModule.forService({ entities: [], migrations }),
    ],
  })
  class WaresModule {}
  return WaresModule;
}

let database: ProvisionedDatabase;
let packageDir: string;
let scope: { packageDir: string; env: Record<string, string> };

beforeEach(async () => {
  database = await provisionedDatabase({ services: { wares: [first] } });
  packageDir = await mkdtemp(join(tmpdir(), 'gatehouse-wares-'));
  await writeFile(
    join(packageDir, 'package.json'),
    JSON.stringify({ version: '1.0.0', gatehouse: { name: 'wares' } }),
  );
  scope = {
    packageDir,
    env: {
      GATEHOUSE_PROFILE: 'embedded',
      GATEHOUSE_CREDENTIALS_DIR: database.credentialsDir('wares'),
      LOG_LEVEL: 'silent',
      DATABASE_POOL_SIZE: '1',
    },
  };
}, 60_000);
afterEach(async () => {
  await database.drop();
  await rm(packageDir, { recursive: true });
});

describe('a service with a schema', () => {
  it('does not start on a schema that lacks a migration, and says what to do', async () => {
    await expect(createService(moduleWith([first, second]), scope)).rejects.toThrow(
      'schema wares lacks 0002: run the command `migrate` first',
    );
  });

  it('starts on one that is ahead: a rolling upgrade', async () => {
    await (await createService(moduleWith([]), scope)).stop();
  });

  it('is migrated by the command, once', async () => {
    const module = moduleWith([first, second]);
    await runInScope(scope, async () => {
      // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class
      const app = await NestFactory.createApplicationContext(module, { logger: false });
      await app.get(CommandRegistry).find('migrate')?.run([]);
      await app.get(CommandRegistry).find('migrate')?.run([]);
      await app.close();
    });
    const service = await createService(module, scope);
    expect(await service.app.get(Database).query('SELECT name FROM ware')).toEqual([]);
    await service.stop();
  });

  it('stays ready while its pool is exhausted, and shows that', async () => {
    const service = await createService(moduleWith([first]), scope);
    const end = Promise.withResolvers<undefined>();
    const begun = Promise.withResolvers<undefined>();
    const held = service.app.get(Database).transaction(() => {
      begun.resolve(undefined);
      return end.promise;
    });
    await begun.promise;
    expect((await fetch(`${service.adminUrl}/health/ready`)).status).toBe(200);
    const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/db_client_connection_count\{state="used"\} 1/);
    expect(metrics).toMatch(
      /db_client_operation_duration_seconds_count\{db_operation_name="SELECT"\} [1-9]/,
    );
    end.resolve(undefined);
    await held;
    await service.stop();
  });

  it('leaves no connection behind when it stops', async () => {
    const service = await createService(moduleWith([first]), scope);
    await service.app.get(Database).query('SELECT 1');
    await fetch(`${service.adminUrl}/health/ready`);
    await service.stop();
    const after = await database.open('wares', { poolSize: 1 });
    expect(
      await after.query(
        `SELECT application_name FROM pg_stat_activity
         WHERE datname = current_database() AND usename = 'wares_app' AND pid <> pg_backend_pid()`,
      ),
    ).toEqual([]);
  });

  it('needs every credential, and names what is missing', async () => {
    await rm(join(database.credentialsDir('wares'), 'page-token-key'));
    await expect(createService(moduleWith([first]), scope)).rejects.toThrow('PAGE_TOKEN_KEY');
  });
});
