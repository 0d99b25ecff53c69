import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  describeWithEngines,
  engineSet,
  type EngineSet,
  ENGINES_START_MS,
  eventually,
  missingFrom,
} from '@gatehouse/testing';
import { startPlatform, TestClient, type TestPlatform } from '@gatehouse/testing-platform';
import { jest } from '@jest/globals';
import { blocks, runTour } from './support/readme-tour.ts';

jest.setTimeout(180_000);

const SERVICES = ['auth', 'identity', 'authz', 'audit'];

describeWithEngines(['kafka', 'consul', 'redis'], () => {
  describe('two gateways, two instances of each service, three brokers', () => {
    let engines: EngineSet;
    let platform: TestPlatform;
    let balancer: Server;
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'gatehouse-tour-'));
      engines = await engineSet(['kafka', 'consul', 'redis'], { kafkaNodes: 3 });
      const two = [...SERVICES, 'gateway'].map((name) => [name, 2] as const);
      platform = await startPlatform({ engines, instances: Object.fromEntries(two) });
      balancer = await roundRobin([0, 1].map((index) => platform.httpUrlOf('gateway', index)));
    }, ENGINES_START_MS);
    afterAll(async () => {
      balancer.close();
      await platform.stop();
      await engines.end();
      rmSync(folder, { recursive: true });
    });

    let tours = 0;
    /** Of a person of its own, who comes from an address of its own: the last block uses a limit up. */
    const tour = async (
      url: string,
      person: string,
      afterBlock?: (index: number) => Promise<void>,
    ): Promise<void> => {
      const address = `203.0.113.${++tours}`;
      writeFileSync(join(folder, '.curlrc'), `header = "X-Forwarded-For: ${address}"\n`);
      const printed = await runTour({
        env: {
          GATEWAY: url,
          GATEHOUSE_DATA_DIR: dirname(platform.administratorFile),
          CURL_HOME: folder,
        },
        rename: { 'ada@': `${person}@`, support: `support-of-${person}` },
        ...(afterBlock && { afterBlock }),
      });
      const missing = blocks.map((block, index) => missingFrom(printed[index] ?? '', block));
      expect(missing).toEqual(blocks.map(() => undefined));
    };
    const nothingWaits = async () =>
      (await platform.database('authz')('SELECT FROM outbox')).length === 0;
    const balanced = () => `http://127.0.0.1:${(balancer.address() as AddressInfo).port}`;

    it.each([0, 1])('gateway %i gives the tour of the README', async (index) => {
      await tour(platform.httpUrlOf('gateway', index), `grace${index}`);
    });

    it('both together give it, each asked in turn', () => tour(balanced(), 'hedy'));

    it('what one gateway has counted, the other knows', async () => {
      const clients = [0, 1].map(
        (index) =>
          new TestClient(platform.httpUrlOf('gateway', index), { address: '198.51.100.7' }),
      );
      const statuses: number[] = [];
      for (let n = 0; n < 24; n++) {
        // Of another account each time: one that is guessed at is slowed down besides.
        const guess = { email: `nobody-${n}@example.com`, password: 'a guess, and a wrong one' };
        statuses.push((await clients[n % 2]!.post('/v1/auth/login', guess)).status);
      }
      // Ten a minute, and what comes back meanwhile; counted apart they would let twenty pass.
      const let_through = statuses.filter((status) => status !== 429);
      expect(let_through.length).toBeGreaterThanOrEqual(10);
      expect(let_through.length).toBeLessThan(16);
      expect(statuses.slice(-4)).toEqual([429, 429, 429, 429]);
    });

    it('an instance of each service and a broker are killed during a tour, and it goes on', async () => {
      // Each before the block that needs it most.
      const victims = ['kafka-2', 'identity', 'authz', 'audit', 'auth'] as const;
      await tour(balanced(), 'joan', async (index) => {
        const victim = victims[index];
        if (victim === 'kafka-2') await engines.kill(victim);
        else if (victim !== undefined) await platform.kill(victim, 'SIGKILL', index % 2);
        // What a killed relay held, another sends once its lease has run out: longer than the tour pauses.
        if (victim === 'audit') await eventually(nothingWaits, { timeoutMs: 20_000 });
      });
      expect(
        SERVICES.filter((name) => [0, 1].every((n) => platform.instance(name, n).running)),
      ).toEqual([]);
    });
  });
});

/** Each connection goes to the next of these; curl makes one a request. */
async function roundRobin(urls: readonly string[]): Promise<Server> {
  let turn = 0;
  const server = createServer((client) => {
    const { hostname, port } = new URL(urls[turn++ % urls.length]!);
    const gateway = connect(Number(port), hostname);
    for (const socket of [client, gateway]) {
      socket.on('error', () => undefined).on('close', () => [client, gateway].forEach(destroy));
    }
    client.pipe(gateway).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const destroy = (socket: { destroy(): void }) => socket.destroy();
