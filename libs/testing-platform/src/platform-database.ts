import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CORE_SERVICES,
  listServices,
  runMigrations,
  serviceEnvironment,
  type ServicePackage,
  ServiceProcess,
} from '@gatehouse/launcher';
import { temporaryDatabase, type TemporaryDatabase } from '@gatehouse/testing';
import pg from 'pg';
import { decidePasswords, storeFiles, takeFiles } from './credentials.ts';
import { type PlatformEngines, withoutEngines } from './platform-engines.ts';
import { compileCache, gatehouse, workspace } from './run-command.ts';

/**
 * A database with every service of the workspace provisioned and migrated, and with its administrator unless that is
 * `false`; the credentials for it are put under `<folder>/credentials`. Prepared once a test run and server, copied after
 * that. Engines are provisioned for each.
 */
export async function platformDatabase(
  folder: string,
  engines: PlatformEngines,
  { administrator = true } = {},
): Promise<TemporaryDatabase> {
  const { databaseServer, addresses } = engines;
  const database = await temporaryDatabase({
    ...(databaseServer !== undefined && { server: databaseServer }),
    template: administrator ? 'gatehouse-platform' : 'gatehouse-platform-without-administrator',
    prepare: (adminUrl) => prepare(adminUrl, administrator),
  });
  await withClient(database.url, (client) => takeFiles(client, folder));
  // What belongs to a database and not to its copies: grants on it, settings of roles in it, the address in the files.
  await provision(database.url, join(folder, 'credentials'), addresses);
  return database;
}

async function prepare(adminUrl: string, administrator: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-template-'));
  const credentials = join(folder, 'credentials');
  const services = listServices(workspace);
  try {
    await decidePasswords(credentials, services, adminUrl);
    await provision(adminUrl, credentials);
    const core = services.filter(({ name }) => (CORE_SERVICES as readonly string[]).includes(name));
    const run = new TemplateRun(folder);
    await Promise.all(services.filter(({ database }) => database).map((each) => run.migrate(each)));
    if (administrator) await run.makeAdministrator(core);
    rmSync(join(folder, 'logs'), { recursive: true, force: true });
    await withClient(adminUrl, (client) => storeFiles(client, folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The services on the template, for as long as it takes to make the administrator. */
class TemplateRun {
  constructor(private readonly folder: string) {}

  async migrate(service: ServicePackage): Promise<void> {
    await runMigrations(this.optionsOf(service));
  }

  async makeAdministrator(services: readonly ServicePackage[]): Promise<void> {
    const running = await Promise.all(
      services.map(async (each) => ({
        name: each.name,
        process: await ServiceProcess.spawn(this.optionsOf(each)),
      })),
    );
    try {
      const addresses = await Promise.all(
        running.map(async ({ name, process }) => [
          `--${name}`,
          (await process.ready()).grpcAddress ?? '',
        ]),
      );
      await gatehouse([
        'bootstrap',
        ...['--credentials', join(this.folder, 'credentials')],
        ...['--administrator-file', join(this.folder, 'administrator.json')],
        ...addresses.filter(([flag]) => flag !== '--audit').flat(),
      ]);
    } finally {
      // In order: leases are given back, and outboxes emptied, before the template is copied.
      await Promise.all(running.map(({ process }) => process.stop()));
    }
  }

  private optionsOf({ name, mainFile }: ServicePackage) {
    return {
      name,
      mainFile,
      logFile: join(this.folder, 'logs', `${name}.log`),
      env: serviceEnvironment(withoutEngines(process.env), {
        credentialsDir: join(this.folder, 'credentials', name),
        issuer: 'http://127.0.0.1:8080',
        compileCache,
      }),
    };
  }
}

async function provision(
  adminUrl: string,
  credentials: string,
  engines: Record<string, string> = {},
): Promise<void> {
  await gatehouse(['provision', '--credentials', credentials], {
    ...engines,
    DATABASE_URL: adminUrl,
  });
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
