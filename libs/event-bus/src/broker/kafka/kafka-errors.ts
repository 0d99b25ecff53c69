import kafkajs from 'kafkajs';

import { NOT_KAFKA, SPEAKS_TLS } from './foreign-answers.ts';

/** What lies under an error of kafkajs, which wraps what happened in what it did about it; of several the first. */
export function rootOf(error: unknown): Error {
  let root = error instanceof Error ? error : new Error(String(error));
  for (;;) {
    const [first] = root instanceof kafkajs.KafkaJSAggregateError ? root.errors : [root.cause];
    if (!(first instanceof Error)) return root;
    root = first;
  }
}

const OF_THE_LINE = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSLockTimeout',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSGroupCoordinatorNotFound',
]);

/** A broker is away, or has other things to do; it may be there again at the next try. */
export function isTransient(error: unknown): boolean {
  const root = rootOf(error);
  if (OF_THE_LINE.has(root.name)) return true;
  return root instanceof kafkajs.KafkaJSProtocolError && root.retriable;
}

/** The `type` of what the broker answered: `UNKNOWN_TOPIC_OR_PARTITION`. */
export function protocolType(error: unknown): string | undefined {
  const root = rootOf(error);
  return root instanceof kafkajs.KafkaJSProtocolError ? root.type : undefined;
}

/**
 * What waiting cannot mend at the first connection, and the variable to look at; undefined where the broker may only be
 * late.
 */
export function refusalOf(error: unknown): string | undefined {
  const root = rootOf(error) as Error & { code?: string; type?: string };
  const code = root.code ?? '';
  const message = root.message;
  if (
    root.name === 'KafkaJSSASLAuthenticationError' ||
    root.type === 'SASL_AUTHENTICATION_FAILED'
  ) {
    return 'KAFKA_USERNAME or KAFKA_PASSWORD is refused';
  }
  if (
    root.type === 'UNSUPPORTED_SASL_MECHANISM' ||
    /SASL .* mechanism is not supported/.test(message)
  ) {
    return 'KAFKA_SASL_MECHANISM is not spoken there';
  }
  if (code === NOT_KAFKA) return 'KAFKA_BROKERS names something that does not speak Kafka';
  if (code === SPEAKS_TLS) return 'KAFKA_TLS is off, and what answers there speaks TLS';
  if (code === 'ENOTFOUND' || code === 'EINVAL')
    return 'KAFKA_BROKERS names a host that does not exist';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'KAFKA_BROKERS names a host that the certificate there is not for';
  }
  if (UNTRUSTED.test(code)) return 'KAFKA_TLS_CA does not vouch for the certificate there';
  if (/alert (certificate|bad certificate|unknown ca|handshake failure)/i.test(message)) {
    return 'KAFKA_TLS_CERT and KAFKA_TLS_KEY are refused';
  }
  if (
    /WRONG_VERSION_NUMBER|PACKET_LENGTH|EPROTO/.test(code) ||
    message.includes('wrong version number')
  ) {
    return 'KAFKA_TLS is on, and what answers there does not speak TLS';
  }
  return undefined;
}

/**
 * The setting that the brokers do not take, once they are connected to; undefined where what they answered is nobody's
 * setting.
 */
export function refusedSettingOf(error: unknown): string | undefined {
  const type = protocolType(error) ?? '';
  if (type.endsWith('_AUTHORIZATION_FAILED')) return 'KAFKA_USERNAME has no right to it';
  if (type === 'INVALID_SESSION_TIMEOUT') {
    return 'EVENT_SESSION_MS is not between group.min.session.timeout.ms and group.max.session.timeout.ms';
  }
  if (type === 'INVALID_REPLICATION_FACTOR') {
    return 'KAFKA_REPLICATION_FACTOR is more than there are brokers';
  }
  return undefined;
}

const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE)$/;
