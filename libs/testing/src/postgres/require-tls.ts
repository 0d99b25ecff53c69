import { Client } from 'pg';
import type { TestCertificate } from '../tls/test-authority.ts';

/**
 * Makes a PostgreSQL on this machine take connections by TLS alone, without a restart. For a server of the test's own.
 * @param url a superuser's
 */
export async function requireTls(url: string, { cert, key }: TestCertificate): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ data: string; hba: string }>(
      `SELECT current_setting('data_directory') AS data, current_setting('hba_file') AS hba`,
    );
    const { data = '', hba = '' } = rows[0] ?? {};
    // By the server itself, because the files must be its own user's.
    const write = async (file: string, text: string) => {
      const encoded = Buffer.from(text).toString('base64');
      await client.query(
        `COPY (SELECT '${encoded}') TO PROGRAM 'umask 077; base64 -d > "${file}"'`,
      );
    };
    await write(`${data}/tls.pem`, cert);
    await write(`${data}/tls.key`, key);
    await write(hba, 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
    await client.query(`ALTER SYSTEM SET ssl_cert_file = '${data}/tls.pem'`);
    await client.query(`ALTER SYSTEM SET ssl_key_file = '${data}/tls.key'`);
    await client.query('ALTER SYSTEM SET ssl = on');
    await client.query('SELECT pg_reload_conf()');
  } finally {
    await client.end();
  }
}
