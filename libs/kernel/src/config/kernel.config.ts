import { z } from 'zod';

import { configOf } from './config-of.ts';
import { envInteger, envNumber } from './numbers.ts';
import { currentScope } from './process-scope.ts';

const port = (fallback: number) => envInteger(fallback, 0, 65_535).meta({ example: '8080' });
const host = (fallback: () => string) =>
  z.string().min(1).default(fallback).meta({ example: '127.0.0.1' });
/** Only the embedded profile keeps to this machine by itself. */
const outward = () =>
  currentScope().env.GATEHOUSE_PROFILE === 'embedded' ? '127.0.0.1' : '0.0.0.0';

/** What every process reads, whatever it is. Port 0 asks the system for a free one. */
export class KernelConfig extends configOf({
  /** `embedded` allows defaults that suit one machine. */
  GATEHOUSE_PROFILE: z.enum(['embedded', 'scale']).default('scale').meta({ example: 'embedded' }),
  /** What the program was built from, for metrics. */
  GATEHOUSE_COMMIT: z.string().max(64).default('').meta({ example: '3f5c5e5' }),
  /** What REST listens on. */
  HTTP_HOST: host(outward),
  /** 0: a free one. */
  HTTP_PORT: port(0),
  /** What gRPC listens on. */
  GRPC_HOST: host(outward),
  /** 0: a free one. */
  GRPC_PORT: port(0),
  /** Metrics, health and diagnostics: this machine only, unless said otherwise. */
  ADMIN_HOST: host(() => '127.0.0.1'),
  /** 0: a free one. */
  ADMIN_PORT: port(0),
  /** The address other processes reach this one by; default: the host that is listened on. */
  ADVERTISE_HOST: z.string().min(1).optional().meta({ example: 'orders-1.internal' }),
  /** Lines of this level and above are written; it can be changed for a time while the process runs. */
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .meta({ example: 'info' }),
  /** Of standard output: `auto` and `pretty` are for people where it is a terminal, and JSON elsewhere. */
  LOG_FORMAT: z.enum(['auto', 'json', 'pretty']).default('auto').meta({ example: 'json' }),
  /** `off`: nothing to standard output. */
  LOG_STDOUT: z.enum(['on', 'off']).default('on').meta({ example: 'off' }),
  /** A file besides; `{service}` and `{instance}` in it are replaced by the process's own. */
  LOG_FILE: z.string().min(1).optional().meta({ example: '/var/log/gatehouse/{service}.log' }),
  /** The file is rotated before it grows beyond this. */
  LOG_FILE_MAX_BYTES: envInteger(20 * 1024 ** 2, 64 * 1024, 1024 ** 4),
  /** Rotated files that are kept. */
  LOG_FILE_KEEP: envInteger(3, 0, 1000),
  /** What a sink that is slow or gone may hold back; lines beyond it are dropped and counted. */
  LOG_BUFFER_BYTES: envInteger(4 * 1024 ** 2, 64 * 1024, 1024 ** 3),
  /** How long a stop waits for what is in flight before it cuts it off. */
  SHUTDOWN_TIMEOUT_SECONDS: envNumber(20, 0, 3600),
  /** How long a stopping process goes on answering after it left the registry, until nobody routes to it. */
  SHUTDOWN_DRAIN_SECONDS: envNumber(1, 0, 3600),
  /** Bytes. A route may state its own. */
  HTTP_BODY_LIMIT_BYTES: envInteger(1024 ** 2, 1024, 1024 ** 3),
}) {}
