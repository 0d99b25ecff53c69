import { z } from 'zod';
import type { DataFolder } from './data-folder.ts';
import { JsonFile } from './json-file.ts';

const Process = z.object({ pid: z.number().int().positive(), startedAt: z.string() });
const Service = Process.extend({
  http_url: z.string().optional(),
  grpc_address: z.string().optional(),
  admin_url: z.string().optional(),
});
const State = z.object({
  /** `scale`: the data are in engines that are not this folder's. */
  profile: z.enum(['embedded', 'scale']).default('embedded'),
  /** The launcher; what it started may outlive it. */
  launcher: Process,
  /** Its processes, with start times: the pid of a dead one may be somebody else's by now. */
  services: z.record(z.string(), Service).default({}),
  postgres_port: z.number().int().optional(),
  /** By service, the fingerprint of the code that last migrated its schema in these data. */
  migrated: z.record(z.string(), z.string()).default({}),
  gateway_url: z.string().optional(),
  gateway_admin_url: z.string().optional(),
  ready: z.boolean().default(false),
});

/** What runs, as the launcher last wrote it; for the next start after a crash, and for the other commands. */
export type PlatformState = z.infer<typeof State>;
export type ServiceState = z.infer<typeof Service>;

export function stateFile(folder: DataFolder): JsonFile<PlatformState> {
  return new JsonFile(folder.state(), State);
}
