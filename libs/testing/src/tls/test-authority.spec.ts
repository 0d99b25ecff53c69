import { X509Certificate, createPrivateKey } from 'node:crypto';
import { TestAuthority } from './test-authority.ts';

describe('TestAuthority', () => {
  let authority: TestAuthority;
  beforeAll(async () => {
    authority = await TestAuthority.make();
  });
  afterAll(() => authority.remove());

  it('issues certificates that it vouches for, for the hosts asked for', async () => {
    const { cert, key } = await authority.issue('server', ['localhost', '127.0.0.1']);
    const issued = new X509Certificate(cert);
    expect(issued.verify(new X509Certificate(authority.ca).publicKey)).toBe(true);
    expect(issued.checkHost('localhost')).toBe('localhost');
    expect(issued.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(issued.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(key).toContain('BEGIN PRIVATE KEY');
  });
});
