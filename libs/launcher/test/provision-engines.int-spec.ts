import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConsulClient } from '@gatehouse/discovery';
import { EngineUnusable, runInScope } from '@gatehouse/kernel';
import {
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  eventually,
  temporaryDatabase,
  type TemporaryDatabase,
} from '@gatehouse/testing';
import { Kafka, logLevel } from 'kafkajs';
import { createClient } from 'redis';
import {
  enginesOfEnvironment,
  examineBrokers,
  examineClocks,
  examineEngines,
  provisionPlatform,
  type Provisioned,
} from '../src/provisioning/index.ts';
import { REDIS_COMMANDS } from '../src/provisioning/redis/redis-access.ts';
import { type SecuredEngines, securedEngines } from '../src/testing/index.ts';

const service = (name: string) => ({
  name,
  prefixes: [`/v1/${name}`],
  namespace: name,
  database: true,
});

describeWithEngines(['kafka', 'consul', 'redis'], () => {
  let engines: SecuredEngines;
  let database: TemporaryDatabase;
  let credentialsDir: string;

  beforeAll(async () => {
    [engines, database] = await Promise.all([securedEngines(), temporaryDatabase()]);
    credentialsDir = await mkdtemp(join(tmpdir(), 'gatehouse-provision-'));
    await provision(['orders', 'bills', 'gone']);
  }, ENGINES_START_MS);
  afterAll(async () => {
    await Promise.all([engines.end(), database.drop()]);
    await rm(credentialsDir, { recursive: true, force: true });
  });

  /** As `gatehouse provision` with this in its environment. */
  function provision(
    names: string[],
    env: Record<string, string> = {},
    rotate = false,
  ): Promise<Provisioned> {
    const all = { ...engines.env, DATABASE_URL: database.url, ...env };
    return runInScope({ env: all, packageDir: credentialsDir }, () =>
      provisionPlatform({
        ...enginesOfEnvironment(),
        services: names.map(service),
        credentialsDir,
        withinMs: 20_000,
        rotate,
      }),
    );
  }

  const credential = (owner: string, name: string) =>
    readFile(join(credentialsDir, owner, name), 'utf8');
  const FILES = [
    'kafka-username',
    'kafka-password',
    'consul-http-token',
    'redis-username',
    'redis-password',
  ];
  const credentialsOf = (owner: string) =>
    Promise.all(FILES.map((name) => credential(owner, name)));

  it.each(FILES)('writes %s for the service alone', async (name) => {
    expect((await stat(join(credentialsDir, 'orders', name))).mode & 0o777).toBe(0o600);
    const [own, other] = [await credential('orders', name), await credential('bills', name)];
    expect(own).not.toBe(other);
  });

  it('changes nothing when it is run again', async () => {
    const before = await credentialsOf('orders');
    const again = await provision(['orders', 'bills', 'gone']);
    expect(again).toMatchObject({ changed: false, newDatabase: false });
    expect(again.reports.flatMap(({ notes }) => notes)).toEqual([]);
    expect(await credentialsOf('orders')).toEqual(before);
  });

  describe('Kafka', () => {
    const kafkaAs = async (name: string, password?: string) =>
      new Kafka({
        brokers: (engines.env.KAFKA_BROKERS ?? '').split(','),
        logLevel: logLevel.NOTHING,
        retry: { retries: 3 },
        sasl: {
          mechanism: 'scram-sha-512',
          username: await credential(name, 'kafka-username'),
          password: password ?? (await credential(name, 'kafka-password')),
        },
      });

    const createTopic = async (name: string, topic: string) => {
      const admin = (await kafkaAs(name)).admin();
      await admin.connect();
      try {
        return await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
      } finally {
        await admin.disconnect();
      }
    };
    const send = async (name: string, topic: string) => {
      const producer = (await kafkaAs(name)).producer({ idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      try {
        await producer.send({ topic, messages: [{ key: 'k', value: 'v' }] });
      } finally {
        await producer.disconnect();
      }
    };
    const receive = async (name: string, topic: string, groupId: string) => {
      const consumer = (await kafkaAs(name)).consumer({ groupId, retry: { retries: 1 } });
      await consumer.connect();
      try {
        await consumer.subscribe({ topic, fromBeginning: true });
        return await new Promise<string>((resolve, reject) => {
          consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
          const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
            resolve(String(message.value));
            await Promise.resolve();
          };
          consumer.run({ eachMessage }).catch(reject);
        });
      } finally {
        await consumer.disconnect();
      }
    };

    beforeAll(async () => {
      await createTopic('orders', 'orders.order');
      await createTopic('bills', 'bills.bill');
    });

    it('lets a service write its own topics, with an idempotent producer', async () => {
      await send('orders', 'orders.order');
    });

    it('lets every service read every topic, in groups of its own', async () => {
      await send('orders', 'orders.order');
      // The first group of a broker finds no coordinator for a moment.
      const received = eventually(() => receive('bills', 'orders.order', 'bills.notes'), {
        timeoutMs: 20_000,
      });
      expect(await received).toBe('v');
    }, 30_000);

    it("refuses others' topics, topics of any other name, and others' groups", async () => {
      await expect(send('orders', 'bills.bill')).rejects.toThrow(/not authorized/i);
      await expect(createTopic('orders', 'bills.other')).rejects.toThrow();
      await expect(createTopic('orders', 'ordersother')).rejects.toThrow();
      await expect(receive('orders', 'bills.bill', 'bills.notes')).rejects.toThrow(
        /group coordinator|not authorized/i,
      );
    }, 30_000);

    it('refuses a wrong password', async () => {
      const admin = (await kafkaAs('orders', 'wrong')).admin();
      await expect(admin.connect()).rejects.toThrow(/auth/i);
    });

    it('gives the password of the file to a Kafka that knows another', async () => {
      const { KafkaAdmin } = await import('../src/provisioning/kafka/kafka-admin.ts');
      const user = {
        mechanism: 'SCRAM-SHA-512',
        username: 'admin',
        password: 'admin-secret',
      } as const;
      const brokers = (engines.env.KAFKA_BROKERS ?? '').split(',');
      const admin = await KafkaAdmin.connect({ brokers }, user);
      await admin.setPassword({ ...user, username: 'orders', password: 'changed by hand' });
      await admin.grant('orders', [
        { resource: 'TOPIC', name: 'bills.', pattern: 'PREFIXED', operation: 'WRITE' },
      ]);
      await admin.close();
      await eventually(() =>
        send('orders', 'orders.order').then(
          () => false,
          () => true,
        ),
      );
      await provision(['orders', 'bills', 'gone']);
      await eventually(() => send('orders', 'orders.order'));
      // And takes away what somebody granted beyond what a service needs.
      await expect(send('orders', 'bills.bill')).rejects.toThrow(/not authorized/i);
    }, 60_000);
  });

  describe('Consul', () => {
    const asService = async <T>(name: string, work: (client: ConsulClient) => Promise<T>) => {
      const client = new ConsulClient({
        address: engines.env.CONSUL_HTTP_ADDR ?? '',
        token: await credential(name, 'consul-http-token'),
      });
      try {
        return await work(client);
      } finally {
        await client.close();
      }
    };
    const register = (by: string, name: string) =>
      asService(by, async (client) => {
        const body = { ID: `${name}-1`, Name: name };
        return (await client.request('PUT', '/v1/agent/service/register', { body, allow: [403] }))
          .status;
      });

    it('lets a service register itself, and nobody else', async () => {
      await eventually(async () => expect(await register('orders', 'orders')).toBe(200));
      expect(await register('orders', 'bills')).toBe(403);
    });

    it('lets the provisioner alone write the directory, which every service reads', async () => {
      const key = '/v1/kv/gatehouse/directory';
      const { read, write } = await asService('orders', async (client) => ({
        read: await client.request('GET', key),
        write: await client.request('PUT', key, { body: 'forged', allow: [403] }),
      }));
      expect(read.status).toBe(200);
      expect(write.status).toBe(403);
    });
  });

  describe('Redis', () => {
    const asService = async (name: string, ...command: string[]) => {
      const client = createClient({
        url: engines.env.REDIS_URL ?? '',
        username: await credential(name, 'redis-username'),
        password: await credential(name, 'redis-password'),
      });
      client.on('error', () => undefined);
      await client.connect();
      try {
        return await client.sendCommand(command);
      } finally {
        await client.disconnect();
      }
    };

    it('lets a service use its own keys', async () => {
      await asService('orders', 'SET', 'gatehouse:orders:a', '1', 'PX', '10000');
      expect(await asService('orders', 'GET', 'gatehouse:orders:a')).toBe('1');
      expect(
        await asService(
          'orders',
          'EVAL',
          'return redis.call("GET", KEYS[1])',
          '1',
          'gatehouse:orders:a',
        ),
      ).toBe('1');
    });

    it.each([
      ["another's key", ['GET', 'gatehouse:bills:a']],
      ["another's key in a script", ['EVAL', 'return redis.call("GET", "gatehouse:bills:a")', '0']],
      ['a key of no service', ['SET', 'a', '1']],
      ['all keys at once', ['KEYS', '*']],
      ['to empty it', ['FLUSHDB']],
      ['its configuration', ['CONFIG', 'GET', '*']],
      ['its users', ['ACL', 'LIST']],
    ])('refuses %s', async (_, command) => {
      await expect(asService('orders', ...command)).rejects.toThrow(/NOPERM|can't access/);
    });

    it('gives what the configuration of docker/engines gives', async () => {
      const file = new URL('../../../docker/engines/redis/users.acl', import.meta.url);
      const example = await readFile(fileURLToPath(file), 'utf8');
      const line = example.split('\n').find((each) => each.startsWith('user orders ')) ?? '';
      const commands = [...line.matchAll(/ \+(\w+)/g)].map(([, command]) => command);
      expect(commands.sort()).toEqual([...REDIS_COMMANDS].sort());
    });
  });

  it('gives everybody new credentials on demand, and takes the earlier ones away', async () => {
    const names = ['orders', 'bills', 'gone'];
    const [, kafka, consul, , redis] = await credentialsOf('orders');
    const logIn = async (password: string) => {
      const client = createClient({
        url: engines.env.REDIS_URL ?? '',
        username: 'orders',
        password,
        socket: { reconnectStrategy: false },
      });
      client.on('error', () => undefined);
      await client.connect();
      await client.disconnect();
    };
    const consulTakes = async (token: string) =>
      (
        await fetch(`${engines.env.CONSUL_HTTP_ADDR ?? ''}/v1/acl/token/self`, {
          headers: { 'x-consul-token': token },
        })
      ).status;
    const kafkaTakes = async (password: string) => {
      const admin = new Kafka({
        brokers: (engines.env.KAFKA_BROKERS ?? '').split(','),
        logLevel: logLevel.NOTHING,
        retry: { retries: 0 },
        sasl: { mechanism: 'scram-sha-512', username: 'orders', password },
      }).admin();
      await admin.connect();
      await admin.disconnect();
    };

    const { reports } = await provision(names, {}, true);
    expect(reports.find(({ engine }) => engine === 'Consul')?.notes).toEqual([
      expect.stringContaining('earlier tokens stay good'),
    ]);
    const [, newKafka = '', newConsul = '', , newRedis = ''] = await credentialsOf('orders');
    expect([newKafka, newConsul, newRedis]).not.toContainEqual(kafka);
    await eventually(() => kafkaTakes(newKafka), { timeoutMs: 20_000, intervalMs: 200 });
    await expect(kafkaTakes(kafka ?? '')).rejects.toThrow(/auth/i);
    await logIn(newRedis);
    await expect(logIn(redis ?? '')).rejects.toThrow('WRONGPASS');
    expect(await consulTakes(newConsul)).toBe(200);
    // An agent still has it for the instances that registered with it.
    expect(await consulTakes(consul ?? '')).toBe(200);

    await provision(names);
    expect(await consulTakes(newConsul)).toBe(200);
    expect(await consulTakes(consul ?? '')).toBe(403);
    expect(await credential('orders', 'redis-password')).toBe(newRedis);
  }, 60_000);

  it('takes away what a service had that is gone, everywhere, and says so', async () => {
    const token = await credential('gone', 'consul-http-token');
    const { reports } = await provision(['orders', 'bills']);
    expect(reports.map(({ engine, notes }) => [engine, ...notes])).toEqual([
      ['PostgreSQL', expect.stringContaining('gone_app may still log in') as unknown],
      ['Kafka', expect.stringContaining('revoked what gone had') as unknown],
      ['Consul', expect.stringContaining('revoked what gone had') as unknown],
      ['Redis', expect.stringContaining('revoked what gone had') as unknown],
    ]);
    const consul = await fetch(`${engines.env.CONSUL_HTTP_ADDR ?? ''}/v1/acl/token/self`, {
      headers: { 'x-consul-token': token },
    });
    expect(consul.status).toBe(403);
    const redis = createClient({
      url: engines.env.REDIS_URL ?? '',
      username: 'gone',
      password: await credential('gone', 'redis-password'),
      socket: { reconnectStrategy: false },
    });
    redis.on('error', () => undefined);
    await expect(redis.connect()).rejects.toThrow('WRONGPASS');
    const kafka = new Kafka({
      brokers: (engines.env.KAFKA_BROKERS ?? '').split(','),
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
      sasl: {
        mechanism: 'scram-sha-512',
        username: 'gone',
        password: await credential('gone', 'kafka-password'),
      },
    });
    await expect(kafka.admin().connect()).rejects.toThrow(/auth/i);
  });

  it.each([
    [{ KAFKA_PASSWORD: 'wrong' }, 'Kafka', 'KAFKA_USERNAME or KAFKA_PASSWORD is refused'],
    [{ CONSUL_HTTP_TOKEN: '0c9c1f4e-1111-2222-3333-444444444444' }, 'Consul', 'CONSUL_HTTP_TOKEN'],
    [{ REDIS_PASSWORD: 'wrong' }, 'Redis', 'REDIS_USERNAME or REDIS_PASSWORD is refused'],
    [{ KAFKA_TLS: 'on' }, 'Kafka', 'KAFKA_TLS is on'],
  ])('with %j ends at once, naming engine and variable', async (env, engine, variable) => {
    const error = await provision(['orders', 'bills'], env).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EngineUnusable);
    expect((error as Error).message).toContain(engine);
    expect((error as Error).message).toContain(variable);
  });

  it('finds the clocks of engines and this machine together', async () => {
    const env = { ...engines.env, DATABASE_URL: database.url };
    const findings = await runInScope({ env, packageDir: credentialsDir }, () =>
      examineClocks(enginesOfEnvironment(), 10_000),
    );
    expect(findings).toEqual(
      ['PostgreSQL', 'Redis', 'Consul'].map((engine) => ({
        state: 'ok',
        what: `the clock of ${engine} agrees with this machine's`,
      })),
    );
  });

  it('warns of a broker that is gone while others answer', async () => {
    const brokers = engines.env.KAFKA_BROKERS ?? '';
    const look = (list: string) =>
      runInScope(
        {
          env: { ...engines.env, DATABASE_URL: database.url, KAFKA_BROKERS: list },
          packageDir: credentialsDir,
        },
        () => examineBrokers(enginesOfEnvironment()),
      );
    expect(await look(brokers)).toEqual([]);
    expect(await look(`${brokers},127.0.0.1:1`)).toEqual([
      { state: 'ok', what: `Kafka's broker ${brokers} answers` },
      {
        state: 'warning',
        what: "Kafka's broker 127.0.0.1:1 does not answer",
        mend: 'start that broker, or take it out of KAFKA_BROKERS',
      },
    ]);
  });

  it('tells an administrator what each lacks', async () => {
    const env = { ...engines.env, DATABASE_URL: database.url };
    const lookWith = (changed: Record<string, string>) =>
      runInScope({ env: { ...env, ...changed }, packageDir: credentialsDir }, () =>
        examineEngines(),
      );
    expect((await lookWith({})).map(({ what, problem }) => [what, problem])).toEqual([
      [expect.stringContaining('PostgreSQL at '), undefined],
      [expect.stringContaining('Kafka at '), undefined],
      [expect.stringContaining('Consul at '), undefined],
      [expect.stringContaining('Redis at '), undefined],
    ]);
    const wrong = {
      DATABASE_URL: database.url.replace(/:[^:@/]+@/, ':wrong@'),
      KAFKA_SASL_MECHANISM: '',
      KAFKA_USERNAME: '',
      KAFKA_PASSWORD: '',
      CONSUL_HTTP_ADDR: 'http://127.0.0.1:1',
      REDIS_PASSWORD: 'wrong',
    };
    expect((await lookWith(wrong)).map(({ problem }) => problem)).toEqual([
      expect.stringContaining('the password in DATABASE_URL is refused'),
      expect.stringContaining('it may want KAFKA_SASL_MECHANISM'),
      expect.stringContaining('Consul does not answer at http://127.0.0.1:1 (CONSUL_HTTP_ADDR)'),
      expect.stringContaining('REDIS_USERNAME or REDIS_PASSWORD is refused'),
    ]);
  });
});

describeWithEngines(['kafka', 'consul', 'redis'], () => {
  it(
    'says what is open where engines ask nobody who they are',
    async () => {
      const [set, database] = await Promise.all([
        engineSet(['kafka', 'consul', 'redis']),
        temporaryDatabase(),
      ]);
      const credentialsDir = await mkdtemp(join(tmpdir(), 'gatehouse-provision-'));
      const env = { ...set.env, DATABASE_URL: database.url };
      const { reports } = await runInScope({ env, packageDir: credentialsDir }, () =>
        provisionPlatform({ ...enginesOfEnvironment(), services: [], credentialsDir }),
      );
      expect(reports.map(({ engine, notes }) => [engine, ...notes])).toEqual([
        ['PostgreSQL'],
        ['Kafka', expect.stringContaining('every client may write every topic') as unknown],
        ['Consul', expect.stringContaining('every client may register') as unknown],
        ['Redis', expect.stringContaining('every client may read') as unknown],
      ]);
      await Promise.all([set.end(), database.drop()]);
      await rm(credentialsDir, { recursive: true });
    },
    ENGINES_START_MS,
  );
});
