import { z } from 'zod';

/**
 * The envelope every integration event travels in: CloudEvents 1.0 in JSON, with the extensions of the platform.
 * Unknown extensions are kept out of it, never an error: a newer sender may add some.
 */
export const CloudEventEnvelope = z.object({
  specversion: z.literal('1.0'),
  /** UUIDv7; with `source` unique. The idempotency key of whatever a subscriber calls outside. */
  id: z.string().min(1).max(128),
  /** The service that owns the topic: `identity`. Stamped by the broker, not believed from the payload. */
  source: z.string().min(1).max(128),
  /** `identity.user.created.v1` */
  type: z.string().min(1).max(128),
  /** The aggregate, as `<entity>/<id>` or an id. */
  subject: z.string().max(512).optional(),
  /** RFC 3339, UTC, milliseconds. */
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  dataschema: z.string().min(1),
  /** W3C Trace Context of the request that caused it. */
  traceparent: z.string().optional(),
  /** The actor. Absent: the platform itself. */
  userid: z.string().optional(),
  /** The aggregate's id: events of one key stay in order. */
  partitionkey: z.string().min(1).max(512),
  /** The aggregate's version: 1, 2, 3, ... without a gap per key. Absent: its service has no database to count in. */
  sequence: z.int().min(1).optional(),
  data: z.unknown(),
});

/** An event with its data typed; see {@link CloudEventEnvelope} for the members. */
export type CloudEvent<T = unknown> = Omit<z.infer<typeof CloudEventEnvelope>, 'data'> & {
  data: T;
};
