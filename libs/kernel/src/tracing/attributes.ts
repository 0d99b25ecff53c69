/**
 * The names that spans use, of the semantic conventions (https://opentelemetry.io/docs/specs/semconv/) at 1.45: HTTP, RPC and
 * database are stable there, messaging is not yet. Written out, because the package that holds them is large and would be
 * loaded by every process; a test compares each with it. Names that begin with `gatehouse.` are the platform's own.
 */
export const ATTRIBUTE = {
  CLIENT_ADDRESS: 'client.address',
  DB_COLLECTION_NAME: 'db.collection.name',
  DB_NAMESPACE: 'db.namespace',
  DB_OPERATION_NAME: 'db.operation.name',
  DB_QUERY_SUMMARY: 'db.query.summary',
  DB_QUERY_TEXT: 'db.query.text',
  DB_RESPONSE_STATUS_CODE: 'db.response.status_code',
  DB_SYSTEM_NAME: 'db.system.name',
  ERROR_TYPE: 'error.type',
  HTTP_REQUEST_METHOD: 'http.request.method',
  HTTP_REQUEST_RESEND_COUNT: 'http.request.resend_count',
  HTTP_RESPONSE_STATUS_CODE: 'http.response.status_code',
  HTTP_ROUTE: 'http.route',
  MESSAGING_CONSUMER_GROUP_NAME: 'messaging.consumer.group.name',
  MESSAGING_DESTINATION_NAME: 'messaging.destination.name',
  MESSAGING_MESSAGE_ID: 'messaging.message.id',
  MESSAGING_OPERATION_NAME: 'messaging.operation.name',
  MESSAGING_OPERATION_TYPE: 'messaging.operation.type',
  MESSAGING_SYSTEM_NAME: 'messaging.system.name',
  CLOUDEVENTS_EVENT_TYPE: 'cloudevents.event_type',
  NETWORK_PROTOCOL_VERSION: 'network.protocol.version',
  RPC_METHOD: 'rpc.method',
  RPC_STATUS_CODE: 'rpc.status_code',
  RPC_SYSTEM_NAME: 'rpc.system.name',
  SERVER_ADDRESS: 'server.address',
  SERVER_PORT: 'server.port',
  URL_FULL: 'url.full',
  URL_PATH: 'url.path',
  URL_SCHEME: 'url.scheme',
  USER_ID: 'user.id',
} as const;

/** What the conventions have no name for. */
export const GATEHOUSE = {
  /** The code of the problem that was answered: `PERMISSION_DENIED`. */
  CODE: 'gatehouse.code',
  REQUEST_ID: 'gatehouse.request_id',
  /** Of a gateway's span: why an unsampled request has one: `refused`, `failed` or `slow`. */
  KEPT: 'gatehouse.kept',
  UPSTREAM: 'gatehouse.upstream',
  UPSTREAM_INSTANCE: 'gatehouse.upstream_instance',
  /** Of a decision: `allowed` or `refused`. */
  OUTCOME: 'gatehouse.outcome',
  REASON: 'gatehouse.reason',
  PERMISSION: 'gatehouse.permission',
  SCOPE: 'gatehouse.scope',
  /** Of a permission decision: `memory`, `remote`. */
  SOURCE: 'gatehouse.source',
  POLICY: 'gatehouse.policy',
  REMAINING: 'gatehouse.remaining',
  CALLER: 'gatehouse.caller',
} as const;

/** Span events: each decision about a request, where it was made. */
export const DECISION = {
  RATE_LIMIT: 'gatehouse.rate_limit',
  AUTHENTICATION: 'gatehouse.authentication',
  AUTHORIZATION: 'gatehouse.authorization',
} as const;
