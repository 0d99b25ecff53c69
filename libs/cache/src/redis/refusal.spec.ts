import { describe, expect, it } from '@jest/globals';

import { NotRedis } from './redis-socket.ts';
import { refusalOf } from './refusal.ts';

const coded = (code: string) => Object.assign(new Error('of the socket'), { code });

describe('what keeps Redis from being used', () => {
  it.each([
    ['WRONGPASS invalid username-password pair', 'REDIS_USERNAME or REDIS_PASSWORD'],
    ['NOAUTH Authentication required.', 'REDIS_PASSWORD'],
    ['ERR AUTH <password> called without any password configured', 'REDIS_PASSWORD is set'],
    ["NOPERM this user has no permissions to run the 'info' command", 'REDIS_USERNAME'],
    ['ERR DB index is out of range', 'REDIS_URL'],
    ['DENIED Redis is running in protected mode', 'REDIS_URL'],
  ])('is said with its variable: %s', (answer, variable) => {
    expect(refusalOf(new Error(answer))).toContain(variable);
  });

  it.each([
    ['ENOTFOUND', 'REDIS_URL'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'REDIS_TLS_CA'],
    ['CERT_HAS_EXPIRED', 'REDIS_TLS_CA'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'REDIS_URL'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'REDIS_TLS_CERT'],
    ['ERR_OSSL_PEM_NO_START_LINE', 'REDIS_TLS_KEY'],
  ])('is said with its variable: %s', (code, variable) => {
    expect(refusalOf(coded(code))).toContain(variable);
  });

  it('is something else that answers', () => {
    expect(refusalOf(new NotRedis('it said "HTTP/1.1 400"'))).toBe(
      'REDIS_URL names something else',
    );
  });

  it.each([
    coded('ECONNREFUSED'),
    coded('ETIMEDOUT'),
    coded('EAI_AGAIN'),
    new Error('LOADING Redis is loading the dataset in memory'),
    new Error("READONLY You can't write against a read only replica."),
    new Error('ERR max number of clients reached'),
    new Error('Socket closed unexpectedly'),
  ])('is not what a while may mend: %s', (error) => {
    expect(refusalOf(error)).toBeUndefined();
  });
});
