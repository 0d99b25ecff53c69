import { commonErrors, PlatformError } from '@gatehouse/contracts-platform';

/** One answer for an unknown address, a wrong password and an unfinished registration, so that none of them can be told. */
export class InvalidCredentials extends PlatformError {
  static override readonly code = 'INVALID_CREDENTIALS';
  static override readonly kind = 'unauthenticated';
  static override readonly title = 'The e-mail address or the password is wrong';
}

/** Only after the password was right, so that it tells nothing to a stranger. */
export class AccountDisabled extends PlatformError {
  static override readonly code = 'ACCOUNT_DISABLED';
  static override readonly kind = 'permission-denied';
  static override readonly title = 'This account is deactivated';
}

export class SessionNotFound extends PlatformError {
  static override readonly code = 'SESSION_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such session';
}

export class SessionRevoked extends PlatformError {
  static override readonly code = 'SESSION_REVOKED';
  static override readonly kind = 'unauthenticated';
  static override readonly title = 'The session has ended';
}

export class SubjectDisabled extends PlatformError {
  static override readonly code = 'SUBJECT_DISABLED';
  static override readonly kind = 'unauthenticated';
  static override readonly title = 'The account or client of this token is disabled';
}

export class RefreshTokenInvalid extends PlatformError {
  static override readonly code = 'REFRESH_TOKEN_INVALID';
  static override readonly kind = 'unauthenticated';
  static override readonly title = 'The refresh token is not valid any more';
}

export class ApiKeyInvalid extends PlatformError {
  static override readonly code = 'API_KEY_INVALID';
  static override readonly kind = 'unauthenticated';
  static override readonly title = 'The API key is not valid';
}

export class SessionCookieInvalid extends PlatformError {
  static override readonly code = 'SESSION_COOKIE_INVALID';
  static override readonly kind = 'unauthenticated';
  static override readonly title = 'The session cookie is not valid';
}

export class PasswordTooShort extends PlatformError {
  static override readonly code = 'PASSWORD_TOO_SHORT';
  static override readonly kind = 'unprocessable';
  static override readonly title = 'The password is too short';
}

export class PasswordTooLong extends PlatformError {
  static override readonly code = 'PASSWORD_TOO_LONG';
  static override readonly kind = 'unprocessable';
  static override readonly title = 'The password is too long';
}

export class PasswordTooCommon extends PlatformError {
  static override readonly code = 'PASSWORD_TOO_COMMON';
  static override readonly kind = 'unprocessable';
  static override readonly title = 'The password is too easy to guess';
}

export class PasswordUnchanged extends PlatformError {
  static override readonly code = 'PASSWORD_UNCHANGED';
  static override readonly kind = 'unprocessable';
  static override readonly title = 'The new password is the old one';
}

export class PasswordWrong extends PlatformError {
  static override readonly code = 'PASSWORD_WRONG';
  static override readonly kind = 'permission-denied';
  static override readonly title = 'The current password is wrong';
}

export class RegistrationNotFound extends PlatformError {
  static override readonly code = 'REGISTRATION_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such registration';
}

export class RegistrationExpired extends PlatformError {
  static override readonly code = 'REGISTRATION_EXPIRED';
  static override readonly kind = 'failed-precondition';
  static override readonly title = 'The registration has expired';
}

export class CredentialNotFound extends PlatformError {
  static override readonly code = 'CREDENTIAL_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'The user has no credential';
}

export class CredentialExists extends PlatformError {
  static override readonly code = 'CREDENTIAL_EXISTS';
  static override readonly kind = 'already-exists';
  static override readonly title = 'The user has another credential already';
}

/** Raised where a session would start on a credential that changed after it was checked. */
export class CredentialChanged extends PlatformError {
  static override readonly code = 'CREDENTIAL_CHANGED';
  static override readonly kind = 'conflict';
  static override readonly title = 'The credential changed meanwhile';
}

export class SigningKeyNotFound extends PlatformError {
  static override readonly code = 'SIGNING_KEY_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such signing key';
}

export class SigningKeyUnavailable extends PlatformError {
  static override readonly code = 'SIGNING_KEY_UNAVAILABLE';
  static override readonly kind = 'unavailable';
  static override readonly title = 'No signing key can be used at the moment';
}

export class ClientNotFound extends PlatformError {
  static override readonly code = 'CLIENT_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such service account';
}

export class ClientExists extends PlatformError {
  static override readonly code = 'CLIENT_EXISTS';
  static override readonly kind = 'already-exists';
  static override readonly title = 'A service account of this name exists';
}

export class ClientSecretNotFound extends PlatformError {
  static override readonly code = 'CLIENT_SECRET_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'The service account has no such secret';
}

/** OAuth (RFC 6749 5.2): the code in lower case is the `error` of the answer, here and below. */
export class InvalidRequest extends PlatformError {
  static override readonly code = 'INVALID_REQUEST';
  static override readonly kind = 'invalid-argument';
  static override readonly title = 'The token request is malformed';
}

export class InvalidClient extends PlatformError {
  static override readonly code = 'INVALID_CLIENT';
  static override readonly kind = 'unauthenticated';
  static override readonly title = 'Client authentication failed';
}

/** 401 at `/v1/auth/refresh`; at the OAuth endpoints 400, as all but `invalid_client`. */
export class InvalidGrant extends PlatformError {
  static override readonly code = 'INVALID_GRANT';
  static override readonly kind = 'unauthenticated';
  static override readonly title = 'The grant is invalid, expired or revoked';
}

export class UnauthorizedClient extends PlatformError {
  static override readonly code = 'UNAUTHORIZED_CLIENT';
  static override readonly kind = 'invalid-argument';
  static override readonly title = 'The client may not use this grant type';
}

export class UnsupportedGrantType extends PlatformError {
  static override readonly code = 'UNSUPPORTED_GRANT_TYPE';
  static override readonly kind = 'invalid-argument';
  static override readonly title = 'The grant type is not supported';
}

export class InvalidScope extends PlatformError {
  static override readonly code = 'INVALID_SCOPE';
  static override readonly kind = 'invalid-argument';
  static override readonly title = 'The scope is unknown or exceeds what was granted';
}

/** What Auth may answer with, the errors common to all processes included. */
export const authErrors = commonErrors.extend([
  InvalidCredentials,
  AccountDisabled,
  SessionNotFound,
  SessionRevoked,
  SubjectDisabled,
  RefreshTokenInvalid,
  ApiKeyInvalid,
  SessionCookieInvalid,
  PasswordTooShort,
  PasswordTooLong,
  PasswordTooCommon,
  PasswordUnchanged,
  PasswordWrong,
  RegistrationNotFound,
  RegistrationExpired,
  CredentialNotFound,
  CredentialExists,
  CredentialChanged,
  SigningKeyNotFound,
  SigningKeyUnavailable,
  ClientNotFound,
  ClientExists,
  ClientSecretNotFound,
  InvalidRequest,
  InvalidClient,
  InvalidGrant,
  UnauthorizedClient,
  UnsupportedGrantType,
  InvalidScope,
]);
