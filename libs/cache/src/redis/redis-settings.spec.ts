import { ConfigError, runInScope } from '@gatehouse/kernel';
import { describe, expect, it } from '@jest/globals';

import { RedisConfig } from './redis.config.ts';
import { addressOf, redisSettings } from './redis-settings.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const of = (env: Record<string, string>) =>
  runInScope({ env, packageDir: '.' }, () => redisSettings(new RedisConfig()));
const refusal = (env: Record<string, string>): string => {
  try {
    of(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('it was taken');
};

describe('the variables of Redis', () => {
  it('are not needed', () => {
    expect(of({})).toBeUndefined();
  });

  it('are an address, who asks and a database', () => {
    expect(of({ REDIS_URL: 'redis://ann:s%40cret@redis.example:7000/3' })).toEqual({
      host: 'redis.example',
      port: 7000,
      database: 3,
      username: 'ann',
      password: 's@cret',
      tls: undefined,
    });
  });

  it('put the name and password of their own before those of the address', () => {
    const settings = of({
      REDIS_URL: 'redis://ann:secret@[::1]',
      REDIS_USERNAME: 'orders',
      REDIS_PASSWORD: 'other',
    });
    expect(settings).toMatchObject({ host: '::1', username: 'orders', password: 'other' });
    expect(addressOf(settings!)).toBe('[::1]:6379');
  });

  it('ask for TLS by rediss, with an authority of their own or without', () => {
    expect(of({ REDIS_URL: 'rediss://redis.example' })?.tls).toEqual({
      ca: undefined,
      cert: undefined,
      key: undefined,
    });
    expect(of({ REDIS_URL: 'rediss://redis.example', REDIS_TLS_CA: PEM })?.tls?.ca).toBe(PEM);
  });

  it.each([
    ['http://redis.example', 'REDIS_URL: must be redis://'],
    ['redis.example:6379', 'REDIS_URL: must be redis://'],
    ['redis://redis.example/cache', 'REDIS_URL: must be redis://'],
  ])('refuse %s', (url, why) => {
    expect(refusal({ REDIS_URL: url })).toContain(why);
  });

  it('refuse what contradicts itself, naming it and no secret', () => {
    const url = 'redis://redis.example';
    const secure = 'rediss://redis.example';
    expect(refusal({ REDIS_URL: url, REDIS_TLS_CA: PEM })).toContain('REDIS_TLS_CA: is set, and');
    expect(refusal({ REDIS_URL: secure, REDIS_TLS_CERT: PEM })).toContain('REDIS_TLS_KEY: is req');
    expect(refusal({ REDIS_URL: secure, REDIS_TLS_KEY: PEM })).toContain('REDIS_TLS_CERT: is req');
    expect(refusal({ REDIS_URL: secure, REDIS_TLS_CA: '/ca.pem' })).toContain('must be PEM text');
    expect(refusal({ REDIS_URL: url, REDIS_USERNAME: 'orders' })).toContain('REDIS_PASSWORD: is');
    expect(refusal({ REDIS_URL: 'http://:secret@redis.example' })).not.toContain('secret');
  });
});
