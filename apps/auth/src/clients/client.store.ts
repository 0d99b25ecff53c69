import { ClientExists, ClientNotFound } from '@gatehouse/contracts-auth';
import { checkVersion, Database, isUniqueViolation } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { Client } from './client.entity.ts';

/** The table of service accounts, through the current transaction where there is one. */
@Injectable()
export class ClientStore {
  constructor(private readonly database: Database) {}

  get rows() {
    return this.database.repository(Client);
  }

  /** @throws ClientExists where the name is taken, in whatever case */
  async insert(client: Client): Promise<void> {
    await this.rows.insert(client).catch(asClientExists);
  }

  /** @throws ClientNotFound */
  async get(id: string): Promise<Client> {
    const client = await this.rows.findOneBy({ id });
    if (!client) throw new ClientNotFound();
    return client;
  }

  /** Locked until the transaction ends, so that no token is issued for a client that is being deleted. */
  findForShare(id: string): Promise<Client | null> {
    return this.rows.findOne({ where: { id }, lock: { mode: 'pessimistic_read' } });
  }

  /**
   * @throws ClientNotFound
   * @throws PreconditionFailed where a version is expected and it is not this one
   */
  async lock(id: string, expectedVersion?: number): Promise<Client> {
    const client = await this.rows.findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!client) throw new ClientNotFound();
    checkVersion(expectedVersion, client.version);
    return client;
  }

  /** Stores what changed, as the next version. @throws ClientExists */
  async save(client: Client): Promise<Client> {
    client.version += 1;
    client.updatedAt = new Date();
    return this.rows.save(client).catch(asClientExists);
  }
}

function asClientExists(error: unknown): never {
  throw isUniqueViolation(error) ? new ClientExists() : error;
}
