import { commonErrors, PlatformError } from '@gatehouse/contracts-platform';

export class UserNotFound extends PlatformError {
  static override readonly code = 'USER_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such user';
}

/** The id is taken by a user with another address: creation is idempotent only for the same one. */
export class UserExists extends PlatformError {
  static override readonly code = 'USER_EXISTS';
  static override readonly kind = 'already-exists';
  static override readonly title = 'Another user has this id';
}

export class UserDeactivated extends PlatformError {
  static override readonly code = 'USER_DEACTIVATED';
  static override readonly kind = 'failed-precondition';
  static override readonly title = 'The user is deactivated';
}

export class UserNotDeactivated extends PlatformError {
  static override readonly code = 'USER_NOT_DEACTIVATED';
  static override readonly kind = 'failed-precondition';
  static override readonly title = 'The user is active';
}

export class UserBatchTooLarge extends PlatformError {
  static override readonly code = 'USER_BATCH_TOO_LARGE';
  static override readonly kind = 'invalid-argument';
  static override readonly title = 'Too many users are asked for at once';
}

export class EmailTaken extends PlatformError {
  static override readonly code = 'EMAIL_TAKEN';
  static override readonly kind = 'already-exists';
  static override readonly title = 'Another user has this e-mail address';
}

/** What Identity may answer with, the errors common to all processes included. */
export const identityErrors = commonErrors.extend([
  UserNotFound,
  UserExists,
  UserDeactivated,
  UserNotDeactivated,
  UserBatchTooLarge,
  EmailTaken,
]);
