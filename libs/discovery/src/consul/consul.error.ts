import { errors } from 'undici';

/** Consul, or whatever answers in its place, did not do what it was asked. */
export class ConsulError extends Error {
  override readonly name = 'ConsulError';

  constructor(
    readonly call: string,
    readonly status: number,
    readonly answer: string,
  ) {
    super(`${call} was answered ${status}: ${answer.slice(0, 200).trim()}`);
  }
}

/** Something answers, and it is not Consul. */
export class NotConsul extends Error {
  override readonly name = 'NotConsul';
}

const UNTRUSTED = new Set([
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What waiting will not mend, and the variable to look at; undefined for what may only be late. */
export function consulRefusal(error: unknown): string | undefined {
  if (error instanceof ConsulError) {
    if (error.status === 401 || error.status === 403)
      return 'CONSUL_HTTP_TOKEN is missing, unknown or may not do this';
    if (error.status === 400 && error.answer.includes('HTTPS server'))
      return 'CONSUL_HTTP_ADDR must begin https://';
    return error.status === 404 ? 'what answers at CONSUL_HTTP_ADDR is not Consul' : undefined;
  }
  if (error instanceof NotConsul) return 'what answers at CONSUL_HTTP_ADDR is not Consul';
  if (error instanceof errors.HTTPParserError)
    return 'what answers at CONSUL_HTTP_ADDR does not speak HTTP';
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code !== 'string') return undefined;
  if (code === 'ENOTFOUND') return 'the host of CONSUL_HTTP_ADDR does not resolve';
  if (UNTRUSTED.has(code)) return 'its certificate is not trusted; see CONSUL_TLS_CA';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return 'what answers at CONSUL_HTTP_ADDR does not speak TLS';
  if (code.startsWith('ERR_SSL_') && code.includes('ALERT'))
    return 'it refuses this process; see CONSUL_TLS_CERT and CONSUL_TLS_KEY';
  return undefined;
}
