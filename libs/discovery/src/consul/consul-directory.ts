import { z } from 'zod';
import {
  type DirectoryPlace,
  statedSerial,
  type StoredDirectory,
} from '../publishing/directory.place.ts';
import { ConsulClient, type ConsulOptions } from './consul.client.ts';
import { DIRECTORY_KEY } from './consul-registry.store.ts';

const PATH = `/v1/kv/${DIRECTORY_KEY}`;
const pairs = z.tuple([z.object({ Value: z.string().nullable(), ModifyIndex: z.number() })]);

/** The directory in Consul's key-value store, written by check-and-set. */
export class ConsulDirectory implements DirectoryPlace {
  private readonly client: ConsulClient;

  constructor(options: ConsulOptions) {
    this.client = new ConsulClient(options);
  }

  async read(): Promise<StoredDirectory> {
    // Of the leader that knows it is the leader: a serial must never be drawn from an older one.
    const { status, text } = await this.client.request('GET', PATH, {
      query: { consistent: '' },
      allow: [404],
    });
    if (status === 404) return { serial: 0, revision: '0' };
    const [{ Value, ModifyIndex }] = pairs.parse(JSON.parse(text));
    const document = Buffer.from(Value ?? '', 'base64').toString();
    return { serial: statedSerial(document), document, revision: String(ModifyIndex) };
  }

  async write(document: string, _serial: number, over: StoredDirectory): Promise<boolean> {
    const { text } = await this.client.request('PUT', PATH, {
      query: { cas: over.revision },
      body: document,
    });
    return text.trim() === 'true';
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
