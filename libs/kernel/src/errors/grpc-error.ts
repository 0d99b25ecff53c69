import {
  DeadlineExceeded,
  type ErrorKind,
  type ErrorRegistry,
  isErrorKind,
  PlatformError,
  RemoteError,
  ServiceUnavailable,
} from '@gatehouse/contracts-platform';
import { Metadata, type ServiceError, status as Code } from '@grpc/grpc-js';

import { asPlatformError } from './as-platform-error.ts';
import { decodeRpcStatus, encodeRpcStatus, type RpcStatus } from './rpc-status.ts';

/** Where google.rpc.Status travels (https://github.com/grpc/proposal/blob/master/A6-client-retries.md and grpc-status-details). */
const DETAILS = 'grpc-status-details-bin';
const DOMAIN = 'gatehouse';

const GRPC_CODE: Record<ErrorKind, Code> = {
  'invalid-argument': Code.INVALID_ARGUMENT,
  unauthenticated: Code.UNAUTHENTICATED,
  'permission-denied': Code.PERMISSION_DENIED,
  'not-found': Code.NOT_FOUND,
  'method-not-allowed': Code.UNIMPLEMENTED,
  'not-acceptable': Code.INVALID_ARGUMENT,
  conflict: Code.ABORTED,
  'already-exists': Code.ALREADY_EXISTS,
  'failed-precondition': Code.FAILED_PRECONDITION,
  'precondition-failed': Code.FAILED_PRECONDITION,
  'payload-too-large': Code.RESOURCE_EXHAUSTED,
  'unsupported-media-type': Code.INVALID_ARGUMENT,
  unprocessable: Code.INVALID_ARGUMENT,
  'precondition-required': Code.FAILED_PRECONDITION,
  'resource-exhausted': Code.RESOURCE_EXHAUSTED,
  internal: Code.INTERNAL,
  'bad-gateway': Code.UNAVAILABLE,
  unavailable: Code.UNAVAILABLE,
  'deadline-exceeded': Code.DEADLINE_EXCEEDED,
};

/** For an error whose status has no details of ours: what its code alone says. */
const KIND: Partial<Record<Code, ErrorKind>> = {
  [Code.INVALID_ARGUMENT]: 'invalid-argument',
  [Code.OUT_OF_RANGE]: 'invalid-argument',
  [Code.UNAUTHENTICATED]: 'unauthenticated',
  [Code.PERMISSION_DENIED]: 'permission-denied',
  [Code.NOT_FOUND]: 'not-found',
  [Code.ALREADY_EXISTS]: 'already-exists',
  [Code.ABORTED]: 'conflict',
  [Code.FAILED_PRECONDITION]: 'failed-precondition',
  [Code.RESOURCE_EXHAUSTED]: 'resource-exhausted',
  [Code.UNIMPLEMENTED]: 'method-not-allowed',
};

/** The gRPC code of a kind of error. */
export function grpcCodeOf(kind: ErrorKind): Code {
  return GRPC_CODE[kind];
}

/**
 * The gRPC answer to an error: a status whose details are `ErrorInfo { reason: code, domain: 'gatehouse', metadata }`,
 * `BadRequest` for violations and `RetryInfo`. Says nothing of an error that is not ours.
 */
export function toGrpcError(thrown: unknown): ServiceError {
  const error = asPlatformError(thrown);
  const code = grpcCodeOf(error.kind);
  const message = error.kind === 'internal' ? error.title : (error.detail ?? error.title);
  const status: RpcStatus = {
    code,
    message,
    errorInfo: {
      reason: error.code,
      domain: DOMAIN,
      // One gRPC code stands for several kinds; the caller gets back the one that was meant.
      metadata: { ...error.metadata, kind: error.kind },
    },
    fieldViolations: error.violations.map(({ pointer, message: description }) => ({
      field: pointer,
      description,
    })),
    ...(error.retryAfterSeconds !== undefined && { retryDelaySeconds: error.retryAfterSeconds }),
  };
  const metadata = new Metadata();
  metadata.set(DETAILS, Buffer.from(encodeRpcStatus(status)));
  return Object.assign(new Error(message, { cause: thrown }), { code, details: message, metadata });
}

/**
 * What a failed call says: the class the server threw where `registry` knows its code, else a `RemoteError` with code and
 * kind. A status that no server of ours wrote (nobody there, out of time) becomes `ServiceUnavailable` or `DeadlineExceeded`.
 */
export function fromGrpcError(thrown: unknown, registry: ErrorRegistry): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  if (!isServiceError(thrown)) return asPlatformError(thrown);
  const status = detailsOf(thrown);
  if (status?.errorInfo?.domain !== DOMAIN) return withoutDetails(thrown);
  const { kind, ...metadata } = status.errorInfo.metadata;
  return registry.rebuild({
    code: status.errorInfo.reason,
    kind: isErrorKind(kind) ? kind : (KIND[thrown.code] ?? 'internal'),
    detail: status.message,
    cause: thrown,
    metadata,
    violations: (status.fieldViolations ?? []).map((violation) => ({
      pointer: violation.field,
      message: violation.description,
    })),
    retryAfterSeconds: status.retryDelaySeconds,
  });
}

function withoutDetails(error: ServiceError): PlatformError {
  switch (error.code) {
    case Code.UNAVAILABLE:
      return new ServiceUnavailable(undefined, { cause: error });
    case Code.DEADLINE_EXCEEDED:
      return new DeadlineExceeded(undefined, { cause: error });
    default:
      return new RemoteError({
        code: `GRPC_${Code[error.code]}`,
        kind: KIND[error.code] ?? 'internal',
        cause: error,
      });
  }
}

function detailsOf(error: ServiceError): RpcStatus | undefined {
  const [bytes] = error.metadata.get(DETAILS);
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    return decodeRpcStatus(bytes);
  } catch {
    return undefined;
  }
}

function isServiceError(error: unknown): error is ServiceError {
  const candidate = error as Partial<ServiceError> | undefined;
  return (
    error instanceof Error &&
    typeof candidate?.code === 'number' &&
    candidate.metadata instanceof Metadata
  );
}
