import { join } from 'node:path';

/** What a service started on this machine is told. Absent ports are chosen by the system. */
export interface ServiceEnvironmentOptions {
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

/** Set in a shell for something else, these would win over the files of the credentials folder. */
const CREDENTIALS = [
  'DATABASE_URL',
  'MIGRATOR_DATABASE_URL',
  'PAGE_TOKEN_KEY',
  'DATA_ENCRYPTION_KEY',
  'GATEHOUSE_SERVICE_KEY',
  'GATEHOUSE_TRUST_ANCHOR',
];
const PROCESS_ONLY = [
  'HTTP_HOST',
  'HTTP_PORT',
  'GRPC_HOST',
  'GRPC_PORT',
  'ADMIN_HOST',
  'ADMIN_PORT',
  'ADVERTISE_HOST',
  'NODE_OPTIONS',
  'NODE_CHANNEL_FD',
];

/** The environment of a service of the embedded profile, started from a process that has `base`. */
export function serviceEnvironment(
  base: NodeJS.ProcessEnv,
  options: ServiceEnvironmentOptions,
): Record<string, string> {
  const dropped = new Set([
    ...CREDENTIALS.flatMap((name) => [name, `${name}_FILE`]),
    ...PROCESS_ONLY,
  ]);
  const kept = Object.entries(base).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !dropped.has(entry[0]) && !/^(npm|NX|JEST)_/.test(entry[0]),
  );
  return {
    ...Object.fromEntries(kept),
    GATEHOUSE_PROFILE: 'embedded',
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
