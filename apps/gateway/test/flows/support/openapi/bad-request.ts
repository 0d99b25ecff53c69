/** A request that is wrong in one way. */
export interface BadRequest {
  /** `POST /v1/users: /email: missing`. */
  name: string;
  /** The operation's. */
  operation: string;
  method: string;
  /** Path and query, sent as they are. */
  target: string;
  headers: Readonly<Record<string, string>>;
  body?: Buffer;
  /** Sent in chunks, without its length. */
  chunked?: boolean;
  /** Pointers one of which the answer's `errors` must name; absent: whatever names it. */
  pointers?: readonly string[];
  /** Statuses one of which it must be; absent: any 4xx but 401, 403 and 429. */
  statuses?: readonly number[];
}
