import { postgresConnection } from '@gatehouse/persistence';
import pg from 'pg';
import type { DirectoryPlace, StoredDirectory } from '../publishing/directory.place.ts';

const UNIQUE_VIOLATION = '23505';

/** The directory in schema `platform`, written by its owner. */
export class PostgresDirectory implements DirectoryPlace {
  private client?: pg.Client;

  constructor(
    private readonly adminUrl: string,
    private readonly tlsCa?: string,
  ) {}

  async read(): Promise<StoredDirectory> {
    const client = await this.connect();
    const { rows } = await client.query<{ serial: string; document: string }>(
      'SELECT serial, document FROM platform.directory ORDER BY serial DESC LIMIT 1',
    );
    const serial = Number(rows[0]?.serial ?? 0);
    return { serial, document: rows[0]?.document, revision: String(serial) };
  }

  async write(document: string, serial: number): Promise<boolean> {
    const client = await this.connect();
    try {
      await client.query('SELECT platform.directory_write($1, $2)', [serial, document]);
      return true;
    } catch (error) {
      // Raised by the function itself: a directory of this serial or a higher one is there.
      if ((error as { code?: string }).code === UNIQUE_VIOLATION) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.client?.end();
  }

  private async connect(): Promise<pg.Client> {
    if (this.client) return this.client;
    const client = new pg.Client({
      ...postgresConnection({ url: this.adminUrl, tlsCa: this.tlsCa }),
      application_name: 'gatehouse-provision',
    });
    await client.connect();
    return (this.client = client);
  }
}
