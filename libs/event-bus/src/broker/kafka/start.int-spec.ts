import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';

import { describeWithEngines, ENGINES_START_MS, eventually } from '@gatehouse/testing';
import { Logger } from '@nestjs/common';

import { Collector } from '../../testing/collector.ts';
import { KafkaEngine } from '../../testing/kafka-engine.ts';
import { KafkaSockets } from '../../testing/kafka-sockets.ts';
import type { KafkaBrokerOptions } from './kafka-broker.ts';

Logger.overrideLogger(false); // what is provoked here is not news

// As the protocol numbers them.
const LIST_OFFSETS = 2;
const METADATA = 3;
const LIST_GROUPS = 16;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const NOT_LEADER = 6;
const COORDINATOR_LOAD_IN_PROGRESS = 14;

/** What a service meets when it begins: brokers that have just begun too, addresses and settings that are wrong. */
describeWithEngines(['kafka'], () => {
  let kafka: KafkaEngine;
  let topic: string;

  beforeAll(async () => {
    kafka = await KafkaEngine.start();
  }, ENGINES_START_MS);
  afterAll(() => kafka.end(), 60_000);
  beforeEach(() => {
    topic = `alpha.thing-${randomUUID().slice(0, 8)}`;
  });
  afterEach(() => kafka.closeAll(), 60_000);

  describe('beside brokers that have just begun', () => {
    it('a broadcast begins though the groups that a crash has left cannot be looked for', async () => {
      const sockets = new KafkaSockets();
      let refused = 0;
      sockets.change(LIST_GROUPS, (body) => {
        refused += 1;
        body.writeInt16BE(COORDINATOR_LOAD_IN_PROGRESS, 4); // behind throttle_time_ms
      });
      const alpha = await kafka.open('alpha', { socketFactory: sockets.factory });
      await alpha.createTopic(topic, 1);
      const seen = await Collector.on(alpha, { topics: [topic] });
      expect(refused).toBeGreaterThan(0);
      await alpha.produce([{ topic, key: 'a', value: 'first' }]);
      await seen.has(1);
    });

    it('a broadcast begins though a topic that was just made has no leader yet', async () => {
      const sockets = new KafkaSockets();
      let leaderless = 0;
      sockets.change(LIST_OFFSETS, (body) => {
        const name = body.indexOf(topic);
        if (name < 0 || leaderless > 0) return;
        leaderless += 1;
        body.writeInt16BE(NOT_LEADER, name + topic.length + 8); // behind how many partitions, and the first one's number
      });
      const alpha = await kafka.open('alpha', { socketFactory: sockets.factory });
      await alpha.createTopic(topic, 1);
      const seen = await Collector.on(alpha, { topics: [topic] });
      expect(leaderless).toBe(1);
      await alpha.produce([{ topic, key: 'a', value: 'first' }]);
      await seen.has(1);
    });

    it('a topic is made though the broker that is asked for its leaders does not know it yet', async () => {
      const sockets = new KafkaSockets();
      let ignorant = 0;
      sockets.change(METADATA, (body) => {
        const name = body.indexOf(topic);
        if (name < 0 || ignorant > 0) return;
        ignorant += 1;
        body.writeInt16BE(UNKNOWN_TOPIC_OR_PARTITION, name - 4); // before the name and its length
      });
      const alpha = await kafka.open('alpha', { socketFactory: sockets.factory });
      await alpha.createTopic(topic, 2);
      expect(ignorant).toBe(1);
      await eventually(async () => {
        expect((await alpha.describeTopics([topic]))[0]?.partitions).toHaveLength(2);
      });
      await alpha.produce([{ topic, key: 'a', value: 'first' }]);
    });
  });

  describe('a setting that is wrong ends it, and the message names engine, address and variable', () => {
    const servers: Server[] = [];
    afterEach(() => {
      for (const server of servers.splice(0)) server.close();
    });

    const listening = async (server: Server) => {
      servers.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    /** How it ends, and after how long. */
    const end = async (address: string, options: Partial<KafkaBrokerOptions> = {}) => {
      const began = performance.now();
      const opening = kafka.open('alpha', { brokers: [address], ...options });
      const error = await opening.then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      );
      return { error, ms: performance.now() - began };
    };

    it('something that says what no broker would say: HTTP, a greeting', async () => {
      const http = await listening(createHttpServer());
      const greeting = await listening(
        createServer((socket) => {
          socket.on('error', () => undefined);
          socket.write('220 mail.example ESMTP\r\n');
        }),
      );
      for (const address of [http, greeting]) {
        const { error } = await end(address);
        expect(error?.name).toBe('EngineUnusable');
        expect(error?.message).toContain(`Kafka at ${address} (KAFKA_BROKERS) cannot be used`);
        expect(error?.message).toContain('KAFKA_BROKERS names something that does not speak Kafka');
      }
    });

    it('but what says nothing is waited for, as long as it is told to', async () => {
      const silent = await listening(
        createServer((socket) => {
          socket.on('error', () => undefined);
          socket.end();
        }),
      );
      const { error, ms } = await end(silent, { waitMs: 700 });
      expect(error?.message).toContain(`Kafka does not answer at ${silent} (KAFKA_BROKERS)`);
      expect(ms).toBeGreaterThanOrEqual(700);
    });

    it('a session shorter than brokers allow', async () => {
      const alpha = await kafka.open('alpha', { sessionMs: 300 });
      await alpha.createTopic(topic, 1);
      const joining = Collector.on(alpha, { group: 'alpha.group', topics: [topic] });
      await expect(joining).rejects.toThrow(
        `Kafka at ${kafka.brokers.join(',')} (KAFKA_BROKERS) refuses group alpha.group: ` +
          'EVENT_SESSION_MS is not between group.min.session.timeout.ms and group.max.session.timeout.ms',
      );
    });

    it('more copies than there are brokers', async () => {
      const alpha = await kafka.open('alpha', { replicationFactor: 3 });
      await expect(alpha.createTopic(topic, 1)).rejects.toThrow(
        `refuses topic ${topic}: KAFKA_REPLICATION_FACTOR is more than there are brokers`,
      );
    });
  });
});
