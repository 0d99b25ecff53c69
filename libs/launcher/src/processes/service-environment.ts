import { join, resolve } from 'node:path';
import { variableOf } from './variable.ts';

/** What a service started on this machine is told. Absent ports are chosen by the system. */
export interface ServiceEnvironmentOptions {
  /** Default `embedded`. */
  profile?: 'embedded' | 'scale';
  /** Holds the service's credential files, as `provision` made them. */
  credentialsDir: string;
  /** `iss` of every access token: the gateway's own address. */
  issuer: string;
  httpPort?: number;
  adminPort?: number;
  /** Where Node keeps compiled code between starts. */
  compileCache?: string;
  /** Added last. */
  extra?: Record<string, string>;
}

/**
 * Set in a shell for something else, these would win over the files of the credentials folder. Those of engines are an
 * administrator's, for the provisioner: a service has its own as files, or none.
 */
const CREDENTIALS = [
  'DATABASE_URL',
  'MIGRATOR_DATABASE_URL',
  'PAGE_TOKEN_KEY',
  'DATA_ENCRYPTION_KEY',
  'GATEHOUSE_SERVICE_KEY',
  'GATEHOUSE_TRUST_ANCHOR',
  'KAFKA_USERNAME',
  'KAFKA_PASSWORD',
  'KAFKA_TLS_CERT',
  'KAFKA_TLS_KEY',
  'CONSUL_HTTP_TOKEN',
  'CONSUL_TLS_CERT',
  'CONSUL_TLS_KEY',
  'REDIS_URL', // may hold an administrator's: see `redisUrl`
  'REDIS_USERNAME',
  'REDIS_PASSWORD',
  'REDIS_TLS_CERT',
  'REDIS_TLS_KEY',
];
const HOSTS = ['HTTP_HOST', 'GRPC_HOST', 'ADMIN_HOST', 'ADVERTISE_HOST'];
const PROCESS_ONLY = [
  'OTEL_SERVICE_NAME', // meant for one: it would be every service's
  ...HOSTS,
  'HTTP_PORT',
  'GRPC_PORT',
  'ADMIN_PORT',
  'NODE_OPTIONS',
  'NODE_CHANNEL_FD',
];
/** The embedded PostgreSQL speaks no TLS. */
const NOT_EMBEDDED = ['DATABASE_TLS_CA', 'DATABASE_TLS_CA_FILE'];

/**
 * The environment of a service started on this machine from a process that has `base`. In profile `scale` it listens on
 * loopback too, unless `base` names other hosts.
 */
export function serviceEnvironment(
  base: NodeJS.ProcessEnv,
  options: ServiceEnvironmentOptions,
): Record<string, string> {
  const { profile = 'embedded' } = options;
  const dropped = new Set([
    ...CREDENTIALS.flatMap((name) => [name, `${name}_FILE`]),
    ...PROCESS_ONLY,
    ...(profile === 'embedded' ? NOT_EMBEDDED : []),
  ]);
  const kept = Object.entries(base).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !dropped.has(entry[0]) && !/^(npm|NX|JEST)_/.test(entry[0]),
  );
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, fromAnywhere(name, value)])),
    ...redisUrl(base),
    ...(profile === 'scale' && hostsOf(base)),
    GATEHOUSE_PROFILE: profile,
    GATEHOUSE_CREDENTIALS_DIR: options.credentialsDir,
    GATEHOUSE_SERVICE_KEY_FILE: join(options.credentialsDir, 'service-key'),
    GATEHOUSE_TRUST_ANCHOR_FILE: join(options.credentialsDir, 'trust-anchor'),
    AUTH_ISSUER: options.issuer,
    HTTP_PORT: String(options.httpPort ?? 0),
    GRPC_PORT: '0',
    ADMIN_PORT: String(options.adminPort ?? 0),
    LOG_FORMAT: 'json',
    // glibc gives larger blocks back once they are freed: a password hash takes 19 MiB, in any of several threads.
    MALLOC_MMAP_THRESHOLD_: '4194304',
    ...(options.compileCache && { NODE_COMPILE_CACHE: options.compileCache }),
    ...options.extra,
  };
}

/** The service runs in another folder than `base`: the file that a variable names is found from there too. */
function fromAnywhere(name: string, value: string): string {
  return name.endsWith('_FILE') && value !== '' ? resolve(value) : value;
}

/** REDIS_URL without the credentials that may be in it. */
function redisUrl(base: NodeJS.ProcessEnv): { REDIS_URL?: string } {
  const given = variableOf(base, 'REDIS_URL');
  if (given === undefined) return {};
  if (!URL.canParse(given)) return { REDIS_URL: given }; // for the service to refuse
  const url = new URL(given);
  url.username = '';
  url.password = '';
  return { REDIS_URL: url.href };
}

function hostsOf(base: NodeJS.ProcessEnv): Record<string, string> {
  const here = { HTTP_HOST: '127.0.0.1', GRPC_HOST: '127.0.0.1' };
  const given = HOSTS.flatMap((name) => (base[name] ? [[name, base[name]] as const] : []));
  return { ...here, ...Object.fromEntries(given) };
}
