import { createServer as createHttpServer } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo, createConnection } from 'node:net';

import { EngineUnusable } from '@gatehouse/kernel';
import {
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  type EngineSet,
  eventually,
  TestAuthority,
} from '@gatehouse/testing';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { Logger } from '@nestjs/common';
import { register } from 'prom-client';

import { RedisAway, type RedisLink, RedisTimeout } from '../../src/redis/redis-link.ts';
import type { RedisSettings, RedisTls } from '../../src/redis/redis-settings.ts';
import { asOrders, linkTo, SECURED } from '../fixtures/redis-engine.ts';

describeWithEngines(['redis'], () => {
  let set: EngineSet;
  let tlsPort: number;
  let authority: TestAuthority;
  /** Of a client that shows a certificate, as this Redis asks for. */
  let tls: RedisTls;
  let link: RedisLink;
  const said: string[] = [];

  beforeAll(async () => {
    authority = await TestAuthority.make();
    const redis = await authority.issue('redis', ['127.0.0.1']);
    const { cert, key } = await authority.issue('orders');
    tls = { ca: authority.ca, cert, key };
    set = await engineSet(['redis'], {
      // Beside the other in the set's own block: a port that the system gives away may be gone after a restart.
      settingsOf: (ports) => ({
        REDIS_ARGS_EXTRA:
          `${SECURED.REDIS_ARGS_EXTRA} --tls-port ${ports.redis + 1} --tls-auth-clients yes ` +
          `--tls-cert-file ${redis.certFile} --tls-key-file ${redis.keyFile} --tls-ca-cert-file ${authority.caFile}`,
      }),
    });
    tlsPort = set.ports.redis + 1;
  }, ENGINES_START_MS);
  afterAll(async () => {
    await set.end();
    await authority.remove();
  });

  beforeEach(() => {
    said.length = 0;
    const hear = (line: unknown) => void said.push(String(line));
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(hear);
    jest.spyOn(Logger.prototype, 'log').mockImplementation(hear);
    register.clear();
    link = linkTo(asOrders(set.ports.redis));
  });
  afterEach(async () => {
    await link.close();
    jest.restoreAllMocks();
  });

  /** Not by a link, which leaves what is no primary. */
  const administrator = async () => {
    const socket = createConnection(set.ports.redis, '127.0.0.1');
    const ask = async (...words: string[]): Promise<string> => {
      const answer = once(socket, 'data') as Promise<[Buffer]>;
      socket.write(`${words.join(' ')}\r\n`);
      return (await answer)[0].toString();
    };
    expect(await ask('AUTH', 'admin', 'admin')).toContain('OK');
    return { ask, end: () => Promise.resolve(socket.destroy()) };
  };
  const replicate = async (
    { ask }: Awaited<ReturnType<typeof administrator>>,
    ...from: [string, string]
  ) => expect(await ask('REPLICAOF', ...from)).toContain('OK');
  const ping = () => link.call((client) => client.ping());
  const metric = async (line: string) => (await register.metrics()).includes(`${line}\n`);

  describe('the link to Redis', () => {
    it('asks as the service it is, and may touch no key of another', async () => {
      await link.connect();
      expect(link.available).toBe(true);
      await link.call((client) => client.set(`${link.prefix}a`, '1'));
      await expect(link.call((client) => client.get('gatehouse:billing:a'))).rejects.toThrow(
        'NOPERM',
      );
      expect(said).toEqual([]);
      expect(await metric('redis_available 1')).toBe(true);
    });

    it('is away before it is connected and after it is closed', async () => {
      await expect(ping()).rejects.toThrow(RedisAway);
      await link.connect();
      expect(await ping()).toBe('PONG');
      await link.close();
      await expect(ping()).rejects.toThrow(RedisAway);
      expect(await metric('redis_losses_total 0')).toBe(true);
    });

    it('is encrypted, knows who answers and shows who it is', async () => {
      link = linkTo(asOrders(tlsPort, { tls }));
      await link.connect();
      expect(await ping()).toBe('PONG');
    });
  });

  describe('at the start', () => {
    const refusal = async (settings: Partial<RedisSettings>): Promise<string> => {
      link = linkTo(asOrders(set.ports.redis, settings));
      const began = performance.now();
      const error = await link.connect().then(
        () => Promise.reject(new Error('it connected')),
        (reason: unknown) => reason as Error,
      );
      expect(error).toBeInstanceOf(EngineUnusable);
      expect(performance.now() - began).toBeLessThan(9_000);
      return error.message;
    };
    const noTls = { ca: undefined, cert: undefined, key: undefined };

    it.each([
      ['a wrong password', { password: 'wrong' }, 'REDIS_USERNAME or REDIS_PASSWORD is refused'],
      ['no password', { username: undefined, password: undefined }, 'it asks for REDIS_PASSWORD'],
      ['an unknown name', { host: 'redis.invalid' }, 'the name in REDIS_URL does not resolve'],
      ['a missing database', { database: 99 }, 'REDIS_URL names a database that it does not have'],
      [
        'TLS where there is none',
        { tls: noTls },
        'REDIS_URL names something else: it speaks no TLS',
      ],
    ])('ends at once for %s, naming the variable', async (_what, settings, why) => {
      const message = await refusal(settings);
      expect(message).toContain('(REDIS_URL) cannot be used: ');
      expect(message).toContain(why);
      expect(message).not.toContain('wrong');
      expect(said).toEqual([]);
    });

    it('ends at once for a certificate that nobody vouches for', async () => {
      expect(await refusal({ port: tlsPort, tls: noTls })).toContain(
        'its certificate is not vouched for by REDIS_TLS_CA',
      );
    });

    it('ends at once where it shows no certificate and Redis asks for one', async () => {
      expect(await refusal({ port: tlsPort, tls: { ...noTls, ca: authority.ca } })).toContain(
        'it refuses the certificate in REDIS_TLS_CERT, or asks for one',
      );
    });

    it('ends at once for a certificate of another name', async () => {
      expect(await refusal({ host: 'localhost', port: tlsPort, tls })).toContain(
        'its certificate is for another name than that in REDIS_URL',
      );
    });

    it('ends at once for plain text where TLS is spoken', async () => {
      expect(await refusal({ port: tlsPort })).toContain(
        'REDIS_URL names something else: it speaks TLS',
      );
    });

    it('ends at once where something else answers', async () => {
      const server = createHttpServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as AddressInfo;
      expect(await refusal({ port })).toContain(
        'REDIS_URL names something else: it said "HTTP/1.1 400 Bad Request"',
      );
      server.close();
    });

    it('waits, visibly, for a Redis that is late', async () => {
      await set.stop('redis');
      const connected = link.connect();
      await eventually(() =>
        expect(said.join()).toMatch(/waiting for Redis at 127\.0\.0\.1:\d+ \(REDIS_URL\)/),
      );
      await set.start('redis');
      await connected;
      expect(await ping()).toBe('PONG');
    });

    it('ends when Redis has not come within the bound', async () => {
      await set.stop('redis');
      link = linkTo(asOrders(set.ports.redis), { withinMs: 300 });
      await expect(link.connect()).rejects.toThrow(
        /^Redis does not answer at 127\.0\.0\.1:\d+ \(REDIS_URL\), waited \d+ s: .*ECONNREFUSED/,
      );
      await set.start('redis');
    });

    it('waits no longer than the bound for a Redis that takes connections and says nothing', async () => {
      await set.pause('redis');
      link = linkTo(asOrders(set.ports.redis), { withinMs: 300 });
      await expect(link.connect()).rejects.toThrow('no answer within 2000 ms');
      await set.resume('redis');
    });
  });

  describe('when Redis is lost', () => {
    const changes: boolean[] = [];
    const comesBack = async (): Promise<void> => {
      await eventually(() => expect(link.available).toBe(true), { timeoutMs: 20_000 });
      expect(await ping()).toBe('PONG');
      expect(changes).toEqual([false, true]);
      expect(said).toEqual([
        expect.stringMatching(/^Redis at 127\.0\.0\.1:\d+ is away: /),
        expect.stringMatching(/^Redis at 127\.0\.0\.1:\d+ answers again$/),
      ]);
      expect(await metric('redis_available 1')).toBe(true);
      expect(await metric('redis_losses_total 1')).toBe(true);
    };

    beforeEach(async () => {
      changes.length = 0;
      await link.connect();
      link.onChange((available) => changes.push(available));
    });

    it('killed: every call fails at once, and it connects again by itself', async () => {
      const before = link.run;
      await set.kill('redis');
      await eventually(() => expect(link.available).toBe(false));
      const began = performance.now();
      for (let index = 0; index < 1000; index++) await expect(ping()).rejects.toThrow(RedisAway);
      expect(performance.now() - began).toBeLessThan(1_000);
      await set.start('redis');
      await comesBack();
      expect(link.run).not.toBe(before);
    });

    it('silent: no call hangs, only the first ones wait, and it serves again when Redis does', async () => {
      const before = link.run;
      await set.pause('redis');
      const results = await Promise.allSettled(Array.from({ length: 100 }, ping));
      for (const result of results) {
        expect((result as PromiseRejectedResult).reason).toBeInstanceOf(RedisTimeout);
      }
      await expect(ping()).rejects.toThrow(RedisAway);
      await set.resume('redis');
      await comesBack();
      expect(link.run).toBe(before);
    });

    it('silent for long: the connection is given up, and another is made', async () => {
      await set.pause('redis');
      await expect(ping()).rejects.toThrow(RedisTimeout);
      // Given up: what answers now was not asked before.
      await eventually(() => expect(link.run).toBeUndefined());
      await set.resume('redis');
      await comesBack();
    });

    it('silent while nobody asks: it is noticed', async () => {
      await link.close();
      changes.length = 0;
      link = linkTo(asOrders(set.ports.redis), { heartbeatMs: 50 });
      await link.connect();
      link.onChange((available) => changes.push(available));
      await set.pause('redis');
      await eventually(() => expect(link.available).toBe(false));
      await set.resume('redis');
      await comesBack();
    });

    it('cut off: the call in hand fails, and it connects again', async () => {
      const admin = linkTo(asOrders(set.ports.redis, { username: 'admin', password: 'admin' }));
      await admin.connect();
      await admin.call((client) => client.sendCommand(['CLIENT', 'KILL', 'USER', 'orders']));
      await eventually(() => expect(changes).toContain(false));
      await comesBack();
      await admin.close();
    });

    it('made a replica: it is left, and used again once it is a primary', async () => {
      await link.close();
      changes.length = 0;
      link = linkTo(asOrders(set.ports.redis), { heartbeatMs: 50 });
      await link.connect();
      link.onChange((available) => changes.push(available));
      const admin = await administrator();
      await replicate(admin, '127.0.0.1', '1');
      await eventually(() => expect(link.available).toBe(false));
      expect(said.join()).toContain('it is a replica, and takes no changes');
      await replicate(admin, 'NO', 'ONE');
      await comesBack();
      await admin.end();
    });

    it('made a replica a moment ago: the first change it refuses tells', async () => {
      const admin = await administrator();
      await replicate(admin, '127.0.0.1', '1');
      await expect(link.call((client) => client.set(`${link.prefix}a`, '1'))).rejects.toThrow(
        'READONLY',
      );
      expect(link.available).toBe(false);
      await replicate(admin, 'NO', 'ONE');
      await comesBack();
      await admin.end();
    });

    it('refused after the return: says why once, and goes on trying', async () => {
      const admin = linkTo(asOrders(set.ports.redis, { username: 'admin', password: 'admin' }));
      await admin.connect();
      const setUser = (...rules: string[]) =>
        admin.call((client) => client.sendCommand(['ACL', 'SETUSER', 'orders', ...rules]));
      await setUser('resetpass', '>changed');
      await admin.call((client) => client.sendCommand(['CLIENT', 'KILL', 'USER', 'orders']));
      await eventually(() =>
        expect(said.join()).toContain('is away, REDIS_USERNAME or REDIS_PASSWORD is refused: '),
      );
      await setUser('resetpass', '>orders');
      await eventually(() => expect(link.available).toBe(true), { timeoutMs: 20_000 });
      expect(said).toHaveLength(3);
      await admin.close();
    });

    it('is closed while it is away, and tries no more', async () => {
      await set.kill('redis');
      await eventually(() => expect(link.available).toBe(false));
      await link.close();
      await set.start('redis');
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(link.available).toBe(false);
    });
  });
});
