import 'reflect-metadata';

import { Metrics, type ServiceInfo, Tracing } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';

import { type EventBroker, type OutgoingRecord, RecordRefused } from '../broker/event-broker.ts';
import type { EventBufferConfig } from '../config/event-buffer.config.ts';
import { EventBufferMetrics } from '../config/event-buffer.metrics.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { alphaEvents } from '../testing/bus/orders.ts';
import { EventSpans } from '../trace/event-spans.ts';
import { BufferedIntegrationEvents } from './buffered-integration-events.ts';
import { EventBufferFull, InvalidEvent } from './errors.ts';
import { EventDrafts } from './event-drafts.ts';

Logger.overrideLogger(false); // what is provoked here is not news

describe('the buffer of a service without a database', () => {
  let sent: string[];
  let calls: number;
  let away: boolean;
  let refused: string[];
  let dropped: Record<string, number>;
  let events: BufferedIntegrationEvents;

  /** All or nothing, as the port has it. */
  const broker = {
    produce: (records: readonly OutgoingRecord[]) => {
      calls += 1;
      if (away) return Promise.reject(new Error('the broker is away'));
      if (records.some(({ key }) => refused.includes(key))) {
        return Promise.reject(new RecordRefused('too large'));
      }
      sent.push(...records.map(({ key }) => key));
      return Promise.resolve();
    },
  } as unknown as EventBroker;

  const bufferOf = (config: { size?: number; flushMs?: number } = {}) => {
    const service = { name: 'alpha' } as unknown as ServiceInfo;
    const metrics = new EventBusMetrics(new Metrics());
    const counted = new EventBufferMetrics(new Metrics());
    counted.dropped.inc = ((labels: { reason: string }, n = 1) => {
      if (n > 0) dropped[labels.reason] = (dropped[labels.reason] ?? 0) + n;
    }) as never;
    const { size = 100, flushMs = 200 } = config;
    const settings: unknown = {
      EVENT_BUFFER_SIZE: size,
      EVENT_BUFFER_MB: 1,
      EVENT_BUFFER_FLUSH_MS: flushMs,
    };
    return new BufferedIntegrationEvents(
      new EventDrafts([alphaEvents], service, metrics),
      broker,
      settings as EventBufferConfig,
      metrics,
      counted,
      new EventSpans(Tracing.off, 'postgresql', 'alpha'),
    );
  };
  const say = (key: string, id = key) =>
    events.publish('alpha.order.placed.v1', { key, data: { order_id: id, n: 1 } });

  beforeEach(() => {
    sent = [];
    refused = [];
    calls = 0;
    away = false;
    dropped = {};
    events = bufferOf();
  });
  afterEach(() => events.stop());

  it('sends in order what is published, in a transaction or not', async () => {
    events.start();
    for (const key of ['a', 'b', 'c']) say(key);
    await eventually(() => expect(sent).toEqual(['a', 'b', 'c']));
  });

  it('sends again what the broker did not take, each once, in order', async () => {
    events.start();
    away = true;
    say('a');
    await eventually(() => expect(calls).toBeGreaterThan(1));
    say('b');
    away = false;
    await eventually(() => expect(sent).toEqual(['a', 'b']));
  });

  it('refuses an event that has no room, says so and counts it', () => {
    events = bufferOf({ size: 2 });
    say('a');
    say('b');
    expect(() => say('c')).toThrow(EventBufferFull);
    expect(() => say('c')).toThrow('no room for another one');
    expect(dropped).toEqual({ overflow: 2 });
  });

  it('is full by what events weigh too', () => {
    const text = 'x'.repeat(200_000);
    expect(() => {
      for (let n = 0; n < 10; n += 1) say(`k${n}`, text);
    }).toThrow(EventBufferFull);
    expect(dropped).toEqual({ overflow: 1 });
  });

  it('lets one event that the broker refuses for good hold up no other', async () => {
    refused = ['c'];
    for (const key of ['a', 'b', 'c', 'd', 'e']) say(key);
    events.start();
    await eventually(() => expect(sent).toEqual(['a', 'b', 'd', 'e']));
    expect(dropped).toEqual({ refused: 1 });
  });

  it('tries often at its end, however long the broker was away before', async () => {
    events = bufferOf({ flushMs: 1_000 });
    away = true;
    events.start();
    say('a');
    // By then it waits for longer than that between two tries.
    await eventually(() => expect(calls).toBeGreaterThanOrEqual(6), { timeoutMs: 20_000 });
    away = false;
    await events.stop();
    expect([sent, dropped]).toEqual([['a'], {}]);
  }, 30_000);

  it('ends though the broker is away, and counts what it could not send', async () => {
    away = true;
    events.start();
    say('a');
    say('b');
    await events.stop();
    expect(dropped).toEqual({ stopped: 2 });
    expect(() => say('c')).toThrow('is ending');
  });

  it('refuses what the service does not publish, and what the schema refuses', () => {
    const publish = (type: string, data: object) => () =>
      events.publish(type as 'alpha.order.placed.v1', { key: 'a', data: data as never });
    expect(publish('beta.order.placed.v1', {})).toThrow(InvalidEvent);
    expect(publish('alpha.order.placed.v1', { order_id: 'a', n: 'one' })).toThrow('/n');
  });
});
