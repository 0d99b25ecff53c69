import protobuf from 'protobufjs/minimal.js';

/**
 * `google.rpc.Status` with the three details the platform uses (google/rpc/status.proto and error_details.proto), written
 * by hand: they never change, and the runtime needs no schema for them.
 */
export interface RpcStatus {
  code: number;
  message: string;
  errorInfo?: { reason: string; domain: string; metadata: Record<string, string> };
  fieldViolations?: { field: string; description: string }[];
  retryDelaySeconds?: number;
}

const { Reader, Writer } = protobuf;
const TYPE = 'type.googleapis.com/google.rpc.';
const STRING_OR_BYTES = 2;
const field = (id: number) => (id << 3) | STRING_OR_BYTES;

export function encodeRpcStatus(status: RpcStatus): Uint8Array {
  const writer = new Writer().uint32(8).int32(status.code).uint32(field(2)).string(status.message);
  const detail = (type: string, value: Uint8Array) => {
    const any = new Writer()
      .uint32(field(1))
      .string(TYPE + type)
      .uint32(field(2))
      .bytes(value);
    writer.uint32(field(3)).bytes(any.finish());
  };
  if (status.errorInfo) detail('ErrorInfo', encodeErrorInfo(status.errorInfo));
  if (status.fieldViolations?.length)
    detail('BadRequest', encodeBadRequest(status.fieldViolations));
  if (status.retryDelaySeconds !== undefined) {
    detail('RetryInfo', encodeRetryInfo(status.retryDelaySeconds));
  }
  return writer.finish();
}

/** @throws where the bytes are not a Status */
export function decodeRpcStatus(bytes: Uint8Array): RpcStatus {
  const status: RpcStatus = { code: 2, message: '' };
  eachField(bytes, {
    1: (reader) => (status.code = reader.int32()),
    2: (reader) => (status.message = reader.string()),
    3: (reader) => {
      const any: { type: string; value: Uint8Array } = { type: '', value: new Uint8Array() };
      eachField(reader.bytes(), {
        1: (inner) => (any.type = inner.string()),
        2: (inner) => (any.value = inner.bytes()),
      });
      if (any.type === `${TYPE}ErrorInfo`) status.errorInfo = decodeErrorInfo(any.value);
      if (any.type === `${TYPE}BadRequest`) status.fieldViolations = decodeBadRequest(any.value);
      if (any.type === `${TYPE}RetryInfo`) status.retryDelaySeconds = decodeRetryInfo(any.value);
    },
  });
  return status;
}

function encodeErrorInfo(info: NonNullable<RpcStatus['errorInfo']>): Uint8Array {
  const writer = new Writer();
  writer.uint32(field(1)).string(info.reason).uint32(field(2)).string(info.domain);
  for (const [key, value] of Object.entries(info.metadata)) {
    const entry = new Writer().uint32(field(1)).string(key).uint32(field(2)).string(value);
    writer.uint32(field(3)).bytes(entry.finish());
  }
  return writer.finish();
}

function decodeErrorInfo(bytes: Uint8Array): NonNullable<RpcStatus['errorInfo']> {
  const info = { reason: '', domain: '' };
  const metadata: [string, string][] = [];
  eachField(bytes, {
    1: (reader) => (info.reason = reader.string()),
    2: (reader) => (info.domain = reader.string()),
    3: (reader) => {
      const entry: [string, string] = ['', ''];
      eachField(reader.bytes(), {
        1: (inner) => (entry[0] = inner.string()),
        2: (inner) => (entry[1] = inner.string()),
      });
      metadata.push(entry);
    },
  });
  // fromEntries defines own members, so that a key named __proto__ is only a key.
  return { ...info, metadata: Object.fromEntries(metadata) };
}

function encodeBadRequest(violations: NonNullable<RpcStatus['fieldViolations']>): Uint8Array {
  const writer = new Writer();
  for (const violation of violations) {
    const entry = new Writer().uint32(field(1)).string(violation.field);
    writer.uint32(field(1)).bytes(entry.uint32(field(2)).string(violation.description).finish());
  }
  return writer.finish();
}

function decodeBadRequest(bytes: Uint8Array): NonNullable<RpcStatus['fieldViolations']> {
  const violations: { field: string; description: string }[] = [];
  eachField(bytes, {
    1: (reader) => {
      const violation = { field: '', description: '' };
      eachField(reader.bytes(), {
        1: (inner) => (violation.field = inner.string()),
        2: (inner) => (violation.description = inner.string()),
      });
      violations.push(violation);
    },
  });
  return violations;
}

function encodeRetryInfo(delaySeconds: number): Uint8Array {
  const seconds = Math.floor(delaySeconds);
  const nanos = Math.round((delaySeconds - seconds) * 1e9);
  const duration = new Writer().uint32(8).int64(seconds).uint32(16).int32(nanos);
  return new Writer().uint32(field(1)).bytes(duration.finish()).finish();
}

function decodeRetryInfo(bytes: Uint8Array): number {
  let delay = 0;
  eachField(bytes, {
    1: (reader) =>
      eachField(reader.bytes(), {
        1: (inner) => (delay += Number(inner.int64())),
        2: (inner) => (delay += inner.int32() / 1e9),
      }),
  });
  return delay;
}

function eachField(
  bytes: Uint8Array,
  read: Record<number, (reader: protobuf.Reader) => unknown>,
): void {
  const reader = Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const known = read[tag >>> 3];
    if (known === undefined) reader.skipType(tag & 7);
    else known(reader);
  }
}
