import { isSecretName, redact, redactText } from './redact.ts';

describe('redact', () => {
  it.each([
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'Gatehouse-Via',
    'password',
    'new_password',
    'passwordHash',
    'token',
    'access_token',
    'refreshToken',
    'secret',
    'client_secret',
    'api_key',
    'privateKey',
    'page_token_key',
    'x-api-key',
    'credential',
  ])('censors %s', (name) => {
    expect(isSecretName(name)).toBe(true);
    expect(redact({ deep: [{ [name]: 'hunter2' }] })).toEqual({ deep: [{ [name]: '[redacted]' }] });
  });

  it.each([
    'name',
    'key',
    'keyboard',
    'tokens_used_total',
    'user_id',
    'status',
    'monkey_business',
    'partitionkeys',
  ])('leaves %s', (name) => {
    expect(redact({ [name]: 'plain' })).toEqual({ [name]: 'plain' });
  });

  it('keeps what an error says, not what it holds', () => {
    const error = Object.assign(new Error('insert failed', { cause: new Error('deadlock') }), {
      code: '40P01',
      parameters: ['$argon2id$v=19$hunter2'],
      request: { headers: { authorization: 'Bearer x' } },
    });
    const logged = redact({ err: error }) as { err: Record<string, unknown> };
    expect(Object.keys(logged.err).sort()).toEqual(['cause', 'code', 'message', 'stack', 'type']);
    expect(JSON.stringify(logged)).not.toContain('hunter2');
    expect(logged.err.cause).toMatchObject({ message: 'deadlock' });
  });

  it('ends at cycles and does not touch the object', () => {
    const cycle: Record<string, unknown> = { password: 'hunter2' };
    cycle.self = cycle;
    expect(JSON.stringify(redact(cycle))).not.toContain('hunter2');
    expect(cycle.password).toBe('hunter2');
  });

  it('shows bytes by their number only', () => {
    expect(redact({ body: Buffer.from('hunter2') })).toEqual({ body: '[7 bytes]' });
  });
});

describe('redactText', () => {
  it.each([
    ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer [redacted]'],
    ['got eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl here', 'got [redacted] here'],
    [
      'postgres://auth_app:hunter2@127.0.0.1:5432/x',
      'postgres://auth_app:[redacted]@127.0.0.1:5432/x',
    ],
    ['http://127.0.0.1:8080/a@b', 'http://127.0.0.1:8080/a@b'],
  ])('%s', (text, logged) => {
    expect(redactText(text)).toBe(logged);
  });
});
