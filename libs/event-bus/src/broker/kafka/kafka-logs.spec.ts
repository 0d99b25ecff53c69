import { describe, expect, it, jest } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import { logLevel } from 'kafkajs';

import { kafkaLogs } from './kafka-logs.ts';

const setUp = () => {
  const logger = { warn: jest.fn(), debug: jest.fn() };
  const clock = { now: 0 };
  const write = kafkaLogs(logger as unknown as Logger, () => clock.now)(logLevel.INFO);
  const say = (level: logLevel, message: string) =>
    write({
      namespace: 'Connection',
      level,
      label: 'X',
      log: { timestamp: 'now', message, broker: 'kafka-1:9092', stack: 'at ...' },
    });
  return { logger, clock, say };
};

describe("kafkajs' lines", () => {
  it('are warnings where kafkajs calls them errors, with its details and without its stack', () => {
    const { logger, say } = setUp();
    say(logLevel.ERROR, 'Connection timeout');
    expect(logger.warn.mock.calls).toEqual([
      [{ kafka: 'Connection', broker: 'kafka-1:9092' }, 'Connection timeout'],
    ]);
  });

  it('are for looking for faults where they tell of everyday work', () => {
    const { logger, say } = setUp();
    say(logLevel.INFO, 'Consumer has joined the group');
    say(logLevel.WARN, 'The group is rebalancing, re-joining');
    say(logLevel.ERROR, 'Response Heartbeat(key: 12, version: 3)');
    expect(logger.warn).not.toHaveBeenCalled();
    expect(logger.debug).toHaveBeenCalledTimes(3);
  });

  it('are not repeated within ten seconds', () => {
    const { logger, clock, say } = setUp();
    for (clock.now = 0; clock.now < 10_000; clock.now += 100) say(logLevel.ERROR, 'Closed');
    expect(logger.warn).toHaveBeenCalledTimes(1);
    say(logLevel.ERROR, 'Closed');
    expect(logger.warn).toHaveBeenCalledTimes(2);
  });
});
