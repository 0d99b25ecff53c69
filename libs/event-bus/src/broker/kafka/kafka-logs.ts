import { Logger } from '@nestjs/common';
import { type logCreator, logLevel } from 'kafkajs';

/** The same line comes at most so often: a broker that is away makes kafkajs repeat itself many times a second. */
const REPEAT_MS = 10_000;
const REMEMBERED = 200;

/**
 * Turns kafkajs' lines into ours. What kafkajs calls an error it nearly always mends itself, so its errors are warnings
 * here; a consumer that ends for good, or a batch that is refused, is said by whoever it happens to. What kafkajs tells of
 * its everyday work (joined, paused, rebalancing) is of use when looking for a fault only.
 */
export function kafkaLogs(logger = new Logger('Kafka'), now = () => performance.now()): logCreator {
  const said = new Map<string, number>();
  const news = (key: string): boolean => {
    const at = now();
    if (at - (said.get(key) ?? -Infinity) < REPEAT_MS) return false;
    said.delete(key);
    said.set(key, at);
    const [oldest] = said.keys();
    if (said.size > REMEMBERED && oldest !== undefined) said.delete(oldest);
    return true;
  };
  return () =>
    ({ namespace, level, log }) => {
      const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...details } = log;
      const line = { kafka: namespace, ...details };
      if (levelOf(level, message) === 'debug') logger.debug(line, message);
      else if (news(`${namespace} ${message}`)) logger.warn(line, message);
    };
}

/** Everyday, though kafkajs warns of it: members come and go, answers it knows what to do with, limits we set. */
const EVERYDAY = [
  /^The group is rebalancing/,
  /^Topic has been updated/,
  /^Response /,
  /^Limiting retries for the idempotent producer/,
];

function levelOf(level: logLevel, message: string): 'warn' | 'debug' {
  if (level !== logLevel.ERROR && level !== logLevel.WARN) return 'debug';
  return EVERYDAY.some((known) => known.test(message)) ? 'debug' : 'warn';
}
