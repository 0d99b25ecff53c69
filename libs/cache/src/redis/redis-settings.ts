import { ConfigError, type ConfigProblem, followVariable } from '@gatehouse/kernel';

import type { RedisConfig } from './redis.config.ts';

/** How to reach Redis, read once. */
export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: RedisTls | undefined;
}

export interface RedisTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/**
 * `undefined` where REDIS_URL is not set.
 * @throws ConfigError for variables that contradict each other
 */
export function redisSettings(config: RedisConfig): RedisSettings | undefined {
  const { REDIS_URL, REDIS_TLS_CA: ca, REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key } = config;
  if (REDIS_URL === undefined) return undefined;
  const url = new URL(REDIS_URL);
  const secure = url.protocol === 'rediss:';
  const problems: ConfigProblem[] = [];
  for (const [variable, value] of Object.entries({
    REDIS_TLS_CA: ca,
    REDIS_TLS_CERT: cert,
    REDIS_TLS_KEY: key,
  })) {
    if (value !== undefined && !secure) {
      problems.push({ variable, problem: 'is set, and REDIS_URL begins with redis://, not TLS' });
    }
  }
  if (cert !== undefined && key === undefined) {
    problems.push({ variable: 'REDIS_TLS_KEY', problem: 'is required beside REDIS_TLS_CERT' });
  }
  if (key !== undefined && cert === undefined) {
    problems.push({ variable: 'REDIS_TLS_CERT', problem: 'is required beside REDIS_TLS_KEY' });
  }
  const username = config.REDIS_USERNAME ?? nonEmpty(decodeURIComponent(url.username));
  const password = config.REDIS_PASSWORD ?? nonEmpty(decodeURIComponent(url.password));
  if (username !== undefined && password === undefined) {
    problems.push({ variable: 'REDIS_PASSWORD', problem: 'is required for a named user' });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const ofFile = followVariable('REDIS_PASSWORD', config.REDIS_PASSWORD);
  return {
    // An IPv6 address stands in brackets in a URL, and without in a socket.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    database: Number(url.pathname.slice(1)),
    username,
    get password() {
      return ofFile() ?? password;
    },
    tls: secure ? { ca, cert, key } : undefined,
  };
}

/** `host:port`, for messages: without credentials. */
export function addressOf({ host, port }: RedisSettings): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function nonEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}
