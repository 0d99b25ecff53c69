import { line, Timestamp, Uuid } from '@gatehouse/kernel';
import { pageOf, PageQuery } from '@gatehouse/persistence';
import { z } from 'zod';

const Name = line(100).meta({ example: 'nightly-export' });
const Description = z.union([z.literal(''), line(500)]);

export const ClientBody = z
  .object({
    id: Uuid,
    client_id: Uuid.describe('The same as `id`, by the name OAuth has for it'),
    name: Name,
    description: z.string(),
    created_at: Timestamp,
    updated_at: Timestamp,
    secret_changed_at: Timestamp,
    version: z.int().min(1).describe('Also the ETag'),
  })
  .meta({ id: 'Client' });
export type ClientView = z.infer<typeof ClientBody>;

export const ClientWithSecretBody = ClientBody.extend({
  client_secret: z.string().describe('Shown this once'),
}).meta({ id: 'ClientWithSecret' });
export type ClientWithSecretView = z.infer<typeof ClientWithSecretBody>;

export const ClientPage = pageOf(ClientBody).meta({ id: 'ClientPage' });
export const ListClientsQuery = z.strictObject({ ...PageQuery });
export type ListClientsQuery = z.infer<typeof ListClientsQuery>;

export const CreateClientBody = z
  .strictObject({ name: Name, description: Description.optional() })
  .meta({ id: 'CreateClient' });
export type CreateClientBody = z.infer<typeof CreateClientBody>;

export const UpdateClientBody = z
  .strictObject({ name: Name.optional(), description: Description.optional() })
  .refine((body) => Object.keys(body).length > 0, 'Name at least one member to change')
  .meta({ id: 'UpdateClient' });
export type UpdateClientBody = z.infer<typeof UpdateClientBody>;
