import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInScope } from '@gatehouse/kernel';
import { listServices } from '@gatehouse/launcher';
import {
  enginesOfEnvironment,
  examineEngines,
  provisionPlatform,
} from '@gatehouse/launcher/provisioning';
import {
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  type EngineSet,
} from '@gatehouse/testing';
import { WORKSPACE } from './support/workspace.ts';

// What `secrets` of compose.yaml makes, given to real engines; only hosts and ports are others.
describeWithEngines(['kafka', 'consul', 'redis', 'postgres'], () => {
  let folder: string;
  let engines: EngineSet;
  const made = (file: string) => join(folder, file);
  const read = (file: string) => readFileSync(made(file), 'utf8');

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-compose-'));
    const program = join(WORKSPACE, 'docker/setup/secrets.js');
    execFileSync(process.execPath, [program, folder, join(WORKSPACE, 'docker/engines')], {
      env: {},
    });
    copyFileSync(made('redis/users.acl'), made('users.acl'));
    engines = await engineSet(['kafka', 'consul', 'redis', 'postgres'], {
      settingsOf: ({ kafka }) => {
        const here = read('kafka/security.properties')
          .replaceAll(/(kafka|0\.0\.0\.0):9092/g, `127.0.0.1:${kafka}`)
          .replaceAll('127.0.0.1:9093', `127.0.0.1:${kafka + 1}`);
        writeFileSync(made('here.properties'), here);
        return {
          KAFKA_CONF_EXTRA: made('here.properties'),
          KAFKA_FORMAT_EXTRA: `--add-scram SCRAM-SHA-512=[name=admin,password=${read('kafka/password')}]`,
          CONSUL_CONF_EXTRA: made('consul/agent.hcl'),
          REDIS_ARGS_EXTRA: `--aclfile ${made('users.acl')}`,
        };
      },
    });
  }, ENGINES_START_MS);
  afterAll(async () => {
    await engines.end();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  /** As the provisioner's container is told, by compose.yaml and by the files it has mounted. */
  const asProvisioner = <T>(work: () => Promise<T>, env: Record<string, string> = {}) =>
    runInScope(
      {
        env: {
          ...engines.env,
          KAFKA_SASL_MECHANISM: 'scram-sha-512',
          GATEHOUSE_CREDENTIALS_DIR: made('provisioner'),
          ...env,
        },
        packageDir: WORKSPACE,
      },
      work,
    );

  it('let the provisioner in, by its own secrets alone', async () => {
    const problems = async (env?: Record<string, string>) =>
      (await asProvisioner(examineEngines, env)).filter(({ problem }) => problem !== undefined);
    expect(await problems()).toEqual([]);
    const nobody = { KAFKA_PASSWORD: 'no', CONSUL_HTTP_TOKEN: 'no', REDIS_PASSWORD: 'no' };
    expect((await problems(nobody)).map(({ what }) => what.split(' ')[0])).toEqual([
      'Kafka',
      'Consul',
      'Redis',
    ]);
  });

  it('take a principal for each service, with its credentials as files', async () => {
    const services = listServices(WORKSPACE);
    const credentialsDir = made('credentials');
    const { changed, reports } = await asProvisioner(() =>
      provisionPlatform({ ...enginesOfEnvironment(), services, credentialsDir }),
    );
    expect(changed).toBe(true);
    expect(reports).toEqual(
      ['PostgreSQL', 'Kafka', 'Consul', 'Redis'].map((engine) => ({ engine, notes: [] })),
    );
    for (const { name } of services) {
      expect(await readdir(join(credentialsDir, name))).toEqual(
        expect.arrayContaining([
          'consul-http-token',
          'database-url',
          'kafka-password',
          'redis-password',
          'service-key',
          'trust-anchor',
        ]),
      );
    }
    // It writes the list that it was begun with: users outlive a restart.
    expect(read('users.acl')).toContain('user auth on');
  }, 120_000);
});
