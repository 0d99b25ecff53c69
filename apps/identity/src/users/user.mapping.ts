import {
  type User as UserMessage,
  UserStatus as UserStatusMessage,
} from '@gatehouse/contracts-identity';
import { toTimestamp } from '@gatehouse/contracts-platform';

import type { User } from './user.entity.ts';
import type { UserView } from './users.schemas.ts';

/** Row to answer: what queries and commands return, and REST sends as it is. */
export function toView(user: User): UserView {
  return {
    id: user.id,
    email: user.email,
    display_name: user.displayName,
    status: user.status,
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
    version: user.version,
  };
}

const STATUS = {
  active: UserStatusMessage.USER_STATUS_ACTIVE,
  deactivated: UserStatusMessage.USER_STATUS_DEACTIVATED,
};

export function toMessage(view: UserView): UserMessage {
  return {
    id: view.id,
    email: view.email,
    displayName: view.display_name,
    status: STATUS[view.status],
    createdAt: toTimestamp(new Date(view.created_at)),
    updatedAt: toTimestamp(new Date(view.updated_at)),
    version: view.version,
  };
}

/** The data of events that carry the user's whole state. */
export function toEventState(user: User) {
  return {
    user_id: user.id,
    version: user.version,
    email: user.email,
    display_name: user.displayName,
    status: user.status,
  };
}
