import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface TestCertificate {
  /** PEM. */
  cert: string;
  /** PEM, PKCS #8, an EC key on P-256. */
  key: string;
  certFile: string;
  keyFile: string;
}

/**
 * A certificate authority of a test's own, for engines that speak TLS; made with the `openssl` program, valid for 30 days unless it is told
 * otherwise.
 * A second one is what nobody trusts.
 */
export class TestAuthority {
  private constructor(
    readonly folder: string,
    /** PEM. */
    readonly ca: string,
    private readonly days: number,
  ) {}

  static async make({ days = 30 } = {}): Promise<TestAuthority> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-authority-'));
    // Engines may run as another user.
    await chmod(folder, 0o755);
    const [cert, key] = [join(folder, 'ca.pem'), join(folder, 'ca.key')];
    const subject = [
      '-subj',
      '/CN=Gatehouse tests',
      '-addext',
      'basicConstraints=critical,CA:TRUE',
    ];
    const lasting = ['-days', String(days)];
    await run('openssl', [
      ...['req', '-x509', ...NEW_KEY, ...lasting, '-keyout', key, '-out', cert, ...subject],
    ]);
    return new TestAuthority(folder, await readFile(cert, 'utf8'), days);
  }

  get caFile(): string {
    return join(this.folder, 'ca.pem');
  }

  /** For servers and clients alike. `hosts` are names and addresses; default this machine's own. */
  async issue(
    name: string,
    hosts: readonly string[] = ['localhost', '127.0.0.1'],
  ): Promise<TestCertificate> {
    const at = (ending: string) => join(this.folder, `${name}.${ending}`);
    const names = hosts.map((host) => `${/^[\d.]+$/.test(host) ? 'IP' : 'DNS'}:${host}`).join(',');
    await writeFile(at('ext'), `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    const request = ['req', ...NEW_KEY, '-keyout', at('key'), '-out', at('csr')];
    await run('openssl', [...request, '-subj', `/CN=${name}`]);
    await run('openssl', [
      ...['x509', '-req', '-in', at('csr'), '-out', at('pem'), '-days', String(this.days)],
      '-CAcreateserial',
      ...['-CA', this.caFile, '-CAkey', join(this.folder, 'ca.key'), '-extfile', at('ext')],
    ]);
    const [cert, key] = await Promise.all([
      readFile(at('pem'), 'utf8'),
      readFile(at('key'), 'utf8'),
    ]);
    return { cert, key, certFile: at('pem'), keyFile: at('key') };
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
