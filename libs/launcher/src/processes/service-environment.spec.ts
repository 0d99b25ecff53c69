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
  ])('is not misled by %s of the shell it was started from', (name) => {
    expect(serviceEnvironment({ [name]: 'x' }, options)).not.toHaveProperty(name);
  });

  it('keeps what configures every service', () => {
    expect(serviceEnvironment({ LOG_LEVEL: 'debug' }, options)).toMatchObject({
      LOG_LEVEL: 'debug',
    });
  });
});
