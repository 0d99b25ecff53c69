import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KafkaConfig } from '@gatehouse/event-bus';
import { EngineUnusable, runInScope } from '@gatehouse/kernel';
import {
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  type EngineSet,
  eventually,
  TestAuthority,
} from '@gatehouse/testing';
import { Kafka, logLevel } from 'kafkajs';
import { enginesOfEnvironment, examineCertificates } from '../src/provisioning/index.ts';
import { provisionKafka } from '../src/provisioning/kafka/provision-kafka.ts';

const configuration = fileURLToPath(
  new URL('../../../docker/engines/kafka/sasl-tls.properties', import.meta.url),
);

describeWithEngines(['kafka'], () => {
  let set: EngineSet;
  let authority: TestAuthority;
  let folder: string;

  beforeAll(async () => {
    authority = await TestAuthority.make({ days: 10 });
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-kafka-tls-'));
    const { key, cert } = await authority.issue('kafka', ['127.0.0.1']);
    await writeFile(join(folder, 'broker.pem'), key + cert);
    set = await engineSet(['kafka'], {
      settings: {
        KAFKA_CONF_EXTRA: configuration,
        KAFKA_FORMAT_EXTRA: '--add-scram SCRAM-SHA-512=[name=admin,password=admin-secret]',
        GATEHOUSE_KAFKA_KEYSTORE: join(folder, 'broker.pem'),
        GATEHOUSE_KAFKA_TRUSTSTORE: authority.caFile,
      },
    });
  }, ENGINES_START_MS);
  afterAll(async () => {
    await Promise.all([set.end(), authority.remove()]);
    await rm(folder, { recursive: true, force: true });
  });

  const provision = (changed: Record<string, string> = {}) => {
    const env = {
      ...set.env,
      KAFKA_TLS: 'on',
      KAFKA_TLS_CA: authority.ca,
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_USERNAME: 'admin',
      KAFKA_PASSWORD: 'admin-secret',
      ...changed,
    };
    return runInScope({ env, packageDir: folder }, () =>
      provisionKafka(new KafkaConfig(), {
        services: [{ name: 'orders' }],
        folderOf: (service) => join(folder, service),
        withinMs: 20_000,
        rotate: false,
      }),
    );
  };

  it('is found to show a certificate that ends soon', async () => {
    const env = {
      ...set.env,
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      KAFKA_TLS: 'on',
      KAFKA_TLS_CA: authority.ca,
    };
    const findings = await runInScope({ env, packageDir: folder }, () =>
      examineCertificates(enginesOfEnvironment()),
    );
    expect(findings).toEqual([
      {
        state: 'warning',
        what: expect.stringContaining(
          `the certificate of Kafka at ${set.env.KAFKA_BROKERS ?? ''} ends on`,
        ) as unknown,
        mend: expect.stringContaining('issue a new one') as unknown,
      },
    ]);
  });

  it('makes users over TLS, who can log in', async () => {
    expect(await provision()).toEqual({ engine: 'Kafka', notes: [] });
    const kafka = new Kafka({
      brokers: [set.env.KAFKA_BROKERS ?? ''],
      logLevel: logLevel.NOTHING,
      ssl: { ca: authority.ca },
      sasl: {
        mechanism: 'scram-sha-512',
        username: 'orders',
        password: await readFile(join(folder, 'orders', 'kafka-password'), 'utf8'),
      },
    });
    const admin = kafka.admin();
    await eventually(() => admin.connect());
    const topics = [{ topic: 'orders.order', numPartitions: 1 }];
    expect(await admin.createTopics({ topics })).toBe(true);
    await admin.disconnect();
  });

  it.each([
    ['without the authority', { KAFKA_TLS_CA: '' }, 'KAFKA_TLS_CA'],
    ['with a wrong password', { KAFKA_PASSWORD: 'wrong' }, 'KAFKA_PASSWORD is refused'],
  ])('ends at once %s, naming the variable', async (_, changed, why) => {
    const error = await provision(changed).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EngineUnusable);
    expect((error as Error).message).toContain(why);
  });
});
