import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';

import { awaitEngine, EngineUnusable } from './await-engine.ts';

const kafka = {
  engine: 'Kafka',
  variable: 'KAFKA_BROKERS',
  address: '127.0.0.1:9092',
  withinMs: 1_000,
  refusal: (error: unknown) =>
    (error as Error).message === 'SASL' ? 'KAFKA_PASSWORD is refused' : undefined,
};

describe('awaitEngine', () => {
  const said: string[] = [];
  beforeEach(() => {
    said.length = 0;
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: string) => void said.push(line));
    jest.spyOn(Logger.prototype, 'log').mockImplementation((line: string) => void said.push(line));
  });
  afterEach(() => jest.restoreAllMocks());

  const failing = (times: number, message: string) => () =>
    times-- > 0 ? Promise.reject(new Error(message)) : Promise.resolve('connected');

  it('gives what connects, and says nothing', async () => {
    expect(await awaitEngine(failing(0, ''), kafka)).toBe('connected');
    expect(said).toEqual([]);
  });

  it('waits for an engine that is late, visibly', async () => {
    expect(await awaitEngine(failing(2, 'ECONNREFUSED'), kafka)).toBe('connected');
    expect(said).toEqual([
      'waiting for Kafka at 127.0.0.1:9092 (KAFKA_BROKERS): ECONNREFUSED',
      'Kafka at 127.0.0.1:9092 answers',
    ]);
  });

  it('gives up after its time, naming engine, variable and address', async () => {
    const error = await failureOf(
      awaitEngine(failing(99, 'ECONNREFUSED'), { ...kafka, withinMs: 300 }),
    );
    expect(error).toBeInstanceOf(EngineUnusable);
    expect(error.message).toMatch(
      /^Kafka does not answer at 127\.0\.0\.1:9092 \(KAFKA_BROKERS\), waited \d+ s: ECONNREFUSED$/,
    );
  });

  it('does not wait for what waiting cannot mend', async () => {
    let tries = 0;
    const connect = () => {
      tries += 1;
      return Promise.reject(new Error('SASL'));
    };
    const error = await failureOf(awaitEngine(connect, kafka));
    expect(error.message).toBe(
      'Kafka at 127.0.0.1:9092 (KAFKA_BROKERS) cannot be used: KAFKA_PASSWORD is refused: SASL',
    );
    expect(tries).toBe(1);
  });
});

function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => Promise.reject(new Error('it connected')),
    (error: unknown) => error as Error,
  );
}
