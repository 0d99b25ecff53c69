import { resolve } from 'node:path';
import { serviceEnvironment } from './service-environment.ts';

const options = { credentialsDir: '/data/credentials/auth', issuer: 'http://127.0.0.1:8080' };

describe('the environment of a service', () => {
  it('points to its credentials and lets the system choose its ports', () => {
    expect(serviceEnvironment({ PATH: '/bin' }, options)).toEqual({
      PATH: '/bin',
      GATEHOUSE_PROFILE: 'embedded',
      GATEHOUSE_CREDENTIALS_DIR: '/data/credentials/auth',
      GATEHOUSE_SERVICE_KEY_FILE: '/data/credentials/auth/service-key',
      GATEHOUSE_TRUST_ANCHOR_FILE: '/data/credentials/auth/trust-anchor',
      AUTH_ISSUER: 'http://127.0.0.1:8080',
      HTTP_PORT: '0',
      GRPC_PORT: '0',
      ADMIN_PORT: '0',
      LOG_FORMAT: 'json',
      MALLOC_MMAP_THRESHOLD_: '4194304',
    });
  });

  it.each([
    'DATABASE_URL',
    'PAGE_TOKEN_KEY_FILE',
    'HTTP_HOST',
    'NODE_OPTIONS',
    'npm_lifecycle_event',
    'KAFKA_USERNAME',
    'KAFKA_PASSWORD_FILE',
    'KAFKA_TLS_KEY',
    'CONSUL_HTTP_TOKEN',
    'CONSUL_TLS_KEY_FILE',
    'REDIS_PASSWORD',
    'REDIS_TLS_KEY',
    'DATABASE_TLS_CA',
  ])('is not misled by %s of the shell it was started from', (name) => {
    expect(serviceEnvironment({ [name]: 'x' }, options)).not.toHaveProperty(name);
  });

  it.each(['LOG_LEVEL', 'KAFKA_BROKERS', 'KAFKA_SASL_MECHANISM', 'CONSUL_HTTP_ADDR'])(
    'keeps %s, which configures every service',
    (name) => {
      expect(serviceEnvironment({ [name]: 'x' }, options)).toMatchObject({ [name]: 'x' });
    },
  );

  it('says where Redis is, without an administrator’s credentials', () => {
    const base = { REDIS_URL: 'rediss://admin:secret@redis.internal:6380/2' };
    const { REDIS_URL } = serviceEnvironment(base, options);
    expect(REDIS_URL).toBe('rediss://redis.internal:6380/2');
  });

  it('names files so that they are found from anywhere', () => {
    const { KAFKA_TLS_CA_FILE } = serviceEnvironment({ KAFKA_TLS_CA_FILE: 'ca.pem' }, options);
    expect(KAFKA_TLS_CA_FILE).toBe(resolve('ca.pem'));
  });

  describe('in profile scale', () => {
    const scale = { ...options, profile: 'scale' } as const;

    it('listens on loopback, unless told otherwise', () => {
      expect(serviceEnvironment({}, scale)).toMatchObject({
        GATEHOUSE_PROFILE: 'scale',
        HTTP_HOST: '127.0.0.1',
        GRPC_HOST: '127.0.0.1',
      });
      const base = { HTTP_HOST: '0.0.0.0', ADVERTISE_HOST: 'here.internal' };
      expect(serviceEnvironment(base, scale)).toMatchObject(base);
    });

    it('keeps whom PostgreSQL’s certificate is to be believed from', () => {
      const base = { DATABASE_TLS_CA: 'pem' };
      expect(serviceEnvironment(base, scale)).toMatchObject(base);
    });
  });
});
