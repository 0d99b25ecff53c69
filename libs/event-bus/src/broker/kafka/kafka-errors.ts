import kafkajs from 'kafkajs';

/** What lies under an error of kafkajs, which wraps what happened in what it did about it. */
export function rootOf(error: unknown): Error {
  let root = error instanceof Error ? error : new Error(String(error));
  while (root.cause instanceof Error) root = root.cause;
  return root;
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

const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE)$/;
