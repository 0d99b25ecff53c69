import { emailSchema, line, Timestamp, Uuid } from '@gatehouse/kernel';
import { pageOf, PageQuery } from '@gatehouse/persistence';
import { z } from 'zod';

const DisplayName = line(200).meta({ example: 'Ada Lovelace' });
const Status = z.enum(['active', 'deactivated']);

export const UserBody = z
  .object({
    id: Uuid,
    email: emailSchema,
    display_name: DisplayName,
    status: Status,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.int().min(1).describe('Also the ETag'),
  })
  .meta({ id: 'User' });
export type UserView = z.infer<typeof UserBody>;

export const UserPage = pageOf(UserBody).meta({ id: 'UserPage' });

export const CreateUserBody = z
  .strictObject({ email: emailSchema, display_name: DisplayName.optional() })
  .meta({ id: 'CreateUser' });
export type CreateUserBody = z.infer<typeof CreateUserBody>;

export const UpdateUserBody = z
  .strictObject({ email: emailSchema.optional(), display_name: DisplayName.optional() })
  .refine((body) => Object.keys(body).length > 0, 'Name at least one member to change')
  .meta({ id: 'UpdateUser' });
export type UpdateUserBody = z.infer<typeof UpdateUserBody>;

export const ListUsersQuery = z.strictObject({
  ...PageQuery,
  status: Status.optional(),
  email: emailSchema.optional(),
  q: line(100).optional().describe('Begins the e-mail address or the display name, in any case'),
});
export type ListUsersQuery = z.infer<typeof ListUsersQuery>;

export const UserId = Uuid;

/** The messages of the gRPC contract, as far as they are judged here. */
export const CreateUserMessage = z.object({
  userId: Uuid,
  email: emailSchema,
  displayName: z.union([z.literal(''), DisplayName]),
});
export const GetUserMessage = z.object({ userId: Uuid });
export const BatchGetUsersMessage = z.object({ userIds: z.array(Uuid) });
export const FindByEmailMessage = z.object({ email: emailSchema });
