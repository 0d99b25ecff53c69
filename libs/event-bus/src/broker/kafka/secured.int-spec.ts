import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describeWithEngines, ENGINES_START_MS, TestAuthority } from '@gatehouse/testing';
import { Logger } from '@nestjs/common';
import kafkajs from 'kafkajs';

import { Collector } from '../../testing/collector.ts';
import { KafkaEngine, QUICK_KAFKA } from '../../testing/kafka-engine.ts';
import type { KafkaBrokerOptions } from './kafka-broker.ts';

Logger.overrideLogger(false); // what is provoked here is not news

const configuration = new URL('../../../../../docker/engines/kafka/', import.meta.url);
/** Users of SASL PLAIN are part of a broker's configuration. */
const PLAIN_TOO = `
sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_gamma="gamma-secret";
`;
const TOPIC = 'alpha.thing';

/** Kafka as docker/engines configures it: over TLS alone, nobody without a name, and nobody writes what is not theirs. */
describeWithEngines(['kafka'], () => {
  let kafka: KafkaEngine;
  let authority: TestAuthority;
  let folder: string;

  beforeAll(async () => {
    authority = await TestAuthority.make();
    const { key, cert, certFile } = await authority.issue('broker');
    const keystore = `${certFile}.keystore`;
    await writeFile(keystore, key + cert);
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-kafka-'));
    const properties = join(folder, 'kafka.properties');
    const secured = await readFile(new URL('sasl-tls.properties', configuration), 'utf8');
    const quick = await readFile(QUICK_KAFKA.KAFKA_CONF_EXTRA, 'utf8');
    await writeFile(properties, secured + quick + PLAIN_TOO);
    kafka = await KafkaEngine.start({
      settings: {
        KAFKA_CONF_EXTRA: properties,
        KAFKA_FORMAT_EXTRA: ['admin', 'alpha', 'beta']
          .map((name) => `--add-scram SCRAM-SHA-512=[name=${name},password=${name}-secret]`)
          .join(' '),
        GATEHOUSE_KAFKA_KEYSTORE: keystore,
        GATEHOUSE_KAFKA_TRUSTSTORE: authority.caFile,
      },
    });
    await grantRights();
  }, ENGINES_START_MS);
  afterAll(async () => {
    await kafka.end();
    await authority.remove();
    await rm(folder, { recursive: true });
  }, 60_000);
  afterEach(() => kafka.closeAll(), 60_000);

  /** Logs in as `user` and takes itself for `service`. */
  const open = (service: string, user = service, options: Partial<KafkaBrokerOptions> = {}) =>
    kafka.open(service, {
      tls: { ca: authority.ca },
      sasl: {
        mechanism: user === 'gamma' ? 'plain' : 'scram-sha-512',
        username: user,
        password: `${user}-secret`,
      },
      ...options,
    });

  /** Each writes and makes its own topics, has its own groups, and reads all. */
  async function grantRights(): Promise<void> {
    const admin = kafka
      .plain({
        ssl: { ca: authority.ca },
        sasl: { mechanism: 'scram-sha-512', username: 'admin', password: 'admin-secret' },
      })
      .admin();
    await admin.connect();
    const { AclOperationTypes: can, AclResourceTypes: of, ResourcePatternTypes: by } = kafkajs;
    const acl = (
      user: string,
      resourceType: kafkajs.AclResourceTypes,
      resourceName: string,
      ...operations: kafkajs.AclOperationTypes[]
    ) =>
      operations.map((operation) => ({
        principal: `User:${user}`,
        host: '*',
        permissionType: kafkajs.AclPermissionTypes.ALLOW,
        resourceType,
        resourceName,
        resourcePatternType: resourceName === '*' ? by.LITERAL : by.PREFIXED,
        operation,
      }));
    await admin.createAcls({
      acl: ['alpha', 'beta', 'gamma'].flatMap((user) => [
        ...acl(user, of.TOPIC, `${user}.`, can.WRITE, can.CREATE, can.DESCRIBE_CONFIGS),
        ...acl(user, of.TOPIC, '*', can.READ, can.DESCRIBE),
        ...acl(user, of.GROUP, `${user}.`, can.READ, can.DESCRIBE, can.DELETE),
      ]),
    });
    await admin.disconnect();
  }

  it('a service makes and writes its own topics, and reads those of others', async () => {
    const alpha = await open('alpha');
    await alpha.createTopic(TOPIC, 2);
    const alone = await Collector.on(alpha, { topics: [TOPIC] });
    await alpha.produce([{ topic: TOPIC, key: 'a', value: '1' }]);
    const beta = await Collector.on(await open('beta'), { group: 'beta.group', topics: [TOPIC] });
    await beta.has(1);
    await alone.has(1);
    expect(beta.values).toEqual(['1']);
    expect((await alpha.describeTopics([TOPIC]))[0]?.retentionMs).toBe(3_600_000);
  });

  it('logs in by SASL PLAIN as well', async () => {
    const gamma = await open('gamma');
    await gamma.createTopic('gamma.thing', 1);
    await gamma.produce([{ topic: 'gamma.thing', key: 'a', value: '1' }]);
    await expect(
      open('gamma', 'gamma', {
        sasl: { mechanism: 'plain', username: 'gamma', password: 'wrong' },
      }),
    ).rejects.toThrow('KAFKA_USERNAME or KAFKA_PASSWORD is refused');
  });

  it('is refused what is not its own, with a message that names engine, address and variable', async () => {
    await (await open('alpha')).createTopic(TOPIC, 2);
    const refused = (what: string) =>
      `Kafka at ${kafka.brokers.join(',')} (KAFKA_BROKERS) refuses ${what}: KAFKA_USERNAME has no right to it`;
    // Beta takes itself for alpha: its own manners would keep it from asking.
    const forger = await open('alpha', 'beta');
    await expect(forger.createTopic('alpha.made-by-beta', 1)).rejects.toThrow(
      refused('topic alpha.made-by-beta'),
    );
    await expect(forger.produce([{ topic: TOPIC, key: 'a', value: 'forged' }])).rejects.toThrow(
      refused(`topic ${TOPIC}`),
    );
    await expect(Collector.on(forger, { group: 'alpha.group', topics: [TOPIC] })).rejects.toThrow(
      refused('group alpha.group'),
    );

    const described = await (await open('alpha')).describeTopics([TOPIC, 'alpha.made-by-beta']);
    expect(described.map(({ topic }) => topic)).toEqual([TOPIC]);
    const seen = await Collector.on(await open('beta'), { group: 'beta.look', topics: [TOPIC] });
    await (await open('alpha')).produce([{ topic: TOPIC, key: 'a', value: 'true' }]);
    await seen.has(1);
    expect(seen.values).not.toContain('forged');
  });

  it.each<[string, Partial<KafkaBrokerOptions>, string]>([
    [
      'a wrong password',
      { sasl: { mechanism: 'scram-sha-512', username: 'alpha', password: 'wrong' } },
      'KAFKA_USERNAME or KAFKA_PASSWORD is refused',
    ],
    [
      'a mechanism for which the user has no password',
      { sasl: { mechanism: 'scram-sha-256', username: 'alpha', password: 'alpha-secret' } },
      'KAFKA_USERNAME or KAFKA_PASSWORD is refused',
    ],
    ['an authority that is not trusted', { tls: {} }, 'KAFKA_TLS_CA does not vouch'],
  ])(
    '%s ends the start at once',
    async (_name, options, why) => {
      const began = performance.now();
      const starting = open('alpha', 'alpha', { ...options, waitMs: 600_000 });
      await expect(starting).rejects.toMatchObject({
        name: 'EngineUnusable',
        message: expect.stringContaining(
          `Kafka at ${kafka.brokers.join(',')} (KAFKA_BROKERS) cannot be used: ${why}`,
        ) as string,
      });
      expect(performance.now() - began).toBeLessThan(60_000); // of 600 s that it would wait for one that is late
    },
    90_000,
  );

  it('without TLS the start ends too', async () => {
    const starting = kafka.open('alpha', { waitMs: 600_000 });
    await expect(starting).rejects.toThrow('KAFKA_TLS is off, and what answers there speaks TLS');
  });
});
