import { NotRedis } from './redis-socket.ts';

/** Answers of a Redis that will serve in a while. */
const LATER = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|BUSY|TRYAGAIN|ERR max number of clients)/;

const ANSWERS: readonly (readonly [RegExp, string])[] = [
  [/^WRONGPASS/, 'REDIS_USERNAME or REDIS_PASSWORD is refused'],
  [/^NOAUTH/, 'it asks for REDIS_PASSWORD (and REDIS_USERNAME)'],
  [/^ERR AUTH/, 'REDIS_PASSWORD is set, and it takes none'],
  [/^NOPERM/, 'the user in REDIS_USERNAME may not do what is needed'],
  [/^ERR (invalid )?DB index/, 'REDIS_URL names a database that it does not have'],
];

const CODES: readonly (readonly [RegExp, string])[] = [
  [/^ENOTFOUND$/, 'the name in REDIS_URL does not resolve'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'its certificate is for another name than that in REDIS_URL'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_)/,
    'its certificate is not vouched for by REDIS_TLS_CA',
  ],
  [
    /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/,
    'REDIS_URL says rediss://, and it speaks no TLS',
  ],
  [/^ERR_SSL_.*ALERT/, 'it refuses the certificate in REDIS_TLS_CERT, or asks for one'],
  [/^ERR_OSSL_/, 'REDIS_TLS_CA, REDIS_TLS_CERT or REDIS_TLS_KEY cannot be used'],
  [/^ERR_SSL_/, 'REDIS_URL says rediss://, and TLS with it fails'],
];

/** What waiting cannot mend, with the variable to look at; `undefined` while Redis may only be late. See `awaitEngine`. */
export function refusalOf(error: unknown): string | undefined {
  if (error instanceof NotRedis) return 'REDIS_URL names something else';
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined) return find(CODES, code);
  // `ErrorReply` of node-redis, which gives it no name; its message is what Redis said.
  if (!/^[A-Z]+ /.test(message) || LATER.test(message)) return undefined;
  return find(ANSWERS, message) ?? 'it answers with an error; look at REDIS_URL';
}

function find(table: readonly (readonly [RegExp, string])[], text: string): string | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1];
}
