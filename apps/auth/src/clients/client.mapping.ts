import type { Client } from './client.entity.ts';
import type { ClientView } from './clients.schemas.ts';

/** Row to answer. */
export function toView(client: Client): ClientView {
  return {
    id: client.id,
    client_id: client.id,
    name: client.name,
    description: client.description,
    created_at: client.createdAt.toISOString(),
    updated_at: client.updatedAt.toISOString(),
    secret_changed_at: client.secretChangedAt.toISOString(),
    version: client.version,
  };
}
