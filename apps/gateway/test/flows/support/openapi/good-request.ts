import type { ApiDocument, Operation } from './api-document.ts';
import { parametersIn, samplePath } from './bad-targets.ts';
import { sampleOf } from './schema-samples.ts';
import type { WireRequest } from './wire.ts';

/** What the operation's description asks for, about things that are not there. No version ever matches. */
export function goodRequest(document: ApiDocument, operation: Operation): WireRequest {
  const [body] = operation.bodies;
  const fields = parametersIn(operation, 'header').filter(({ required }) => required);
  return {
    method: operation.method,
    target: samplePath(document, operation),
    headers: {
      ...Object.fromEntries(fields.map(({ name }) => [name.toLowerCase(), '"999999"'])),
      ...(body !== undefined && { 'content-type': body.mediaType }),
    },
    ...(body !== undefined && { body: bytes(body.mediaType, sampleOf(document, body.schema)) }),
  };
}

function bytes(mediaType: string, sample: unknown): Buffer {
  const isForm = mediaType === 'application/x-www-form-urlencoded';
  return Buffer.from(
    isForm
      ? new URLSearchParams(sample as Record<string, string>).toString()
      : JSON.stringify(sample),
  );
}
