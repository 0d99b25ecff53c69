import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestPlatform } from '@gatehouse/testing-platform';
import { Secrets } from './secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-secrets-'));
writeFileSync(join(folder, 'database-url'), 'postgres://auth_app:hunter2hunter2@localhost/db');
writeFileSync(join(folder, 'service-key'), '-----BEGIN\nMC4CAQAwBQYDK2Vw\n-----END');
afterAll(() => rmSync(folder, { recursive: true }));

const leaksOf = (log: string) => {
  const secrets = new Secrets();
  secrets.note('a password', 'correct horse battery');
  const platform = { logsOf: () => log, credentialsDirOf: () => folder };
  return secrets.leaks(platform as unknown as TestPlatform, ['auth']);
};

describe('secrets in a log', () => {
  it('are none in a clean one', () => {
    expect(leaksOf('{"msg":"request answered"}')).toEqual([]);
  });

  it.each([
    ['what a test has sent', 'correct horse battery'],
    ['the password of its database', 'postgres://auth_app:hunter2hunter2@localhost/db'],
    ['its key', 'MC4CAQAwBQYDK2Vw'],
    ['any token', 'Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJlIQ'],
    ['no line at all', ''],
  ])('are found where it holds %s', (_name, log) => {
    expect(leaksOf(log)).toHaveLength(1);
  });
});
