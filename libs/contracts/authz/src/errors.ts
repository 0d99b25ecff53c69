import { commonErrors, PlatformError } from '@gatehouse/contracts-platform';

export class PermissionUnknown extends PlatformError {
  static override readonly code = 'PERMISSION_UNKNOWN';
  static override readonly kind = 'unprocessable';
  static override readonly title = 'No service declares this permission';
}

export class PermissionOutsideNamespace extends PlatformError {
  static override readonly code = 'PERMISSION_OUTSIDE_NAMESPACE';
  static override readonly kind = 'permission-denied';
  static override readonly title = 'The permission is not in the namespace of the calling service';
}

export class RoleNotFound extends PlatformError {
  static override readonly code = 'ROLE_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such role';
}

export class RoleExists extends PlatformError {
  static override readonly code = 'ROLE_EXISTS';
  static override readonly kind = 'already-exists';
  static override readonly title = 'A role of this name exists';
}

export class RoleNameReserved extends PlatformError {
  static override readonly code = 'ROLE_NAME_RESERVED';
  static override readonly kind = 'already-exists';
  static override readonly title = 'A built-in role has this name';
}

export class RoleBuiltIn extends PlatformError {
  static override readonly code = 'ROLE_BUILT_IN';
  static override readonly kind = 'failed-precondition';
  static override readonly title = 'A built-in role cannot be changed';
}

/** `member` is held by every active user: there is nothing to bind. */
export class RoleImplicit extends PlatformError {
  static override readonly code = 'ROLE_IMPLICIT';
  static override readonly kind = 'failed-precondition';
  static override readonly title = 'An implicit role takes no bindings';
}

export class BindingNotFound extends PlatformError {
  static override readonly code = 'BINDING_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such binding';
}

export class BindingExists extends PlatformError {
  static override readonly code = 'BINDING_EXISTS';
  static override readonly kind = 'already-exists';
  static override readonly title = 'The subject has this role in this scope';
}

export class GrantNotHeld extends PlatformError {
  static override readonly code = 'GRANT_NOT_HELD';
  static override readonly kind = 'permission-denied';
  static override readonly title = 'Nobody grants what they do not hold in that scope';
}

export class AdministratorExists extends PlatformError {
  static override readonly code = 'ADMINISTRATOR_EXISTS';
  static override readonly kind = 'failed-precondition';
  static override readonly title = 'Somebody else is platform administrator already';
}

export class LastAdministrator extends PlatformError {
  static override readonly code = 'LAST_ADMINISTRATOR';
  static override readonly kind = 'failed-precondition';
  static override readonly title = 'The last platform administrator cannot be removed';
}

export class CheckBatchTooLarge extends PlatformError {
  static override readonly code = 'CHECK_BATCH_TOO_LARGE';
  static override readonly kind = 'invalid-argument';
  static override readonly title = 'Too many checks in one batch';
}

/** What Authz may answer with, the errors common to all processes included. */
export const authzErrors = commonErrors.extend([
  PermissionUnknown,
  PermissionOutsideNamespace,
  RoleNotFound,
  RoleExists,
  RoleNameReserved,
  RoleBuiltIn,
  RoleImplicit,
  BindingNotFound,
  BindingExists,
  GrantNotHeld,
  AdministratorExists,
  LastAdministrator,
  CheckBatchTooLarge,
]);
