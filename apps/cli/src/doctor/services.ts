import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { Finding } from '@gatehouse/kernel';
import { listServices, serviceEnvironment, type ServicePackage } from '@gatehouse/launcher';
import { z } from 'zod';
import { type Place, unknown } from './place.ts';

const TIMEOUT_MS = 60_000;
const Answer = z.object({
  findings: z.array(
    z.object({
      state: z.enum(['ok', 'warning', 'problem', 'unknown']),
      what: z.string(),
      mend: z.string().optional(),
    }),
  ),
});

/**
 * What each service says of itself (its command `doctor`): its configuration, its schema beside its build, its keys. Asked as
 * it would be started, with its own credentials.
 */
export async function examineServices(place: Place): Promise<Finding[]> {
  const waiting = listServices(place.workspace);
  const findings = new Map<string, Finding[]>(waiting.map(({ name }) => [name, []]));
  const work = async () => {
    for (let service = waiting.shift(); service; service = waiting.shift()) {
      findings.set(service.name, await examineService(place, service));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return [...findings.values()].flat();
}

async function examineService(place: Place, service: ServicePackage): Promise<Finding[]> {
  const { name, dir, mainFile } = service;
  if (!existsSync(mainFile)) {
    const where = existsSync(join(dir, 'src')) ? 'it is not built' : 'it runs from its own image';
    return [unknown(`${name} cannot be asked here, ${where}: \`node dist/main.js doctor\` there`)];
  }
  if (!existsSync(place.folder.credentials(name))) {
    return [unknown(`${name} is not provisioned yet`)];
  }
  const { code, output } = await run(mainFile, environmentOf(place, name));
  const line = output.split('\n').find((each) => each.startsWith('{"findings":'));
  if (line !== undefined) {
    const { findings } = Answer.parse(JSON.parse(line));
    return findings.map((finding) => ({ ...finding, what: `${name}: ${finding.what}` }));
  }
  return [
    {
      state: 'problem',
      what: `${name} cannot be started: ${reasonIn(output) ?? `exit code ${code}`}`,
      mend: code === 78 ? 'set that variable (docs/reference/configuration.md)' : `see its log`,
    },
  ];
}

function environmentOf({ folder, profile, state }: Place, service: string): NodeJS.ProcessEnv {
  return serviceEnvironment(process.env, {
    profile,
    credentialsDir: folder.credentials(service),
    issuer: process.env.AUTH_ISSUER ?? state?.gateway_url ?? 'http://127.0.0.1:8080',
    compileCache: folder.compileCache(),
    extra: { LOG_LEVEL: 'error', LOG_STDOUT: 'on' },
  });
}

async function run(
  mainFile: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const options = { env, cwd: dirname(dirname(mainFile)), timeout: TIMEOUT_MS };
    const args = [mainFile, 'doctor', '--json'];
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? 1 : 0;
      resolve({ code, output: stdout + stderr });
    });
  });
}

/** What its last log line says: a process that cannot start logs why, at level fatal. */
function reasonIn(output: string): string | undefined {
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  for (const line of lines.reverse()) {
    try {
      const { err, msg } = JSON.parse(line) as { err?: { message?: string }; msg?: string };
      const text = err?.message ?? msg;
      if (text !== undefined) return text.replace(/\s*\n\s*/g, ' ');
    } catch {
      // not a line of its log
    }
  }
  return undefined;
}
