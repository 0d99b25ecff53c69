import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { listServices, runMigrations, serviceEnvironment } from '@gatehouse/launcher';
import { runningLauncher } from '../data/launcher-lock.ts';
import { stateFile } from '../data/platform-state.ts';
import { ownCommand } from '../platform/own-command.ts';
import { serveInstead } from '../platform/served.ts';
import { CommandError, openContext } from './context.ts';
import { onStopSignals } from './stop-signals.ts';

/**
 * Runs one service in watch mode as part of the platform that runs on this data folder: compiled and started again at
 * every change of its sources. The launcher's own instance stands aside meanwhile.
 */
export async function serve(name: string): Promise<void> {
  const { workspace, folder } = openContext();
  const service = listServices(workspace).find((each) => each.name === name);
  if (!service) throw new CommandError(`there is no service ${name} under apps/`);
  if (!existsSync(join(service.dir, 'src'))) {
    throw new CommandError(`${name} comes as a package: there are no sources of it to watch`);
  }
  const state = stateFile(folder).read();
  if (!state?.ready || !runningLauncher(folder.lock())) {
    throw new CommandError(`no platform is running on ${folder.path}: run \`npm start\` first`);
  }
  if (state.profile === 'scale') {
    throw new CommandError('a platform of the scale profile is not served in watch mode');
  }
  // A service made after the start is not in the directory yet.
  await ownCommand(['provision', '--credentials', folder.credentials()], {
    env: {
      ...process.env,
      DATABASE_URL: readFileSync(
        join(folder.credentials('platform'), 'database-url'),
        'utf8',
      ).trim(),
    },
  });
  const gateway = state.gateway_url ? Number(new URL(state.gateway_url).port) : undefined;
  const gatewayAdmin = state.gateway_admin_url
    ? Number(new URL(state.gateway_admin_url).port)
    : undefined;
  const env = serviceEnvironment(process.env, {
    credentialsDir: folder.credentials(name),
    issuer: process.env.AUTH_ISSUER ?? state.gateway_url ?? '',
    compileCache: folder.compileCache(),
    ...(name === 'gateway' && { httpPort: gateway ?? 0, adminPort: gatewayAdmin ?? 0 }),
    extra: { LOG_FORMAT: process.env.LOG_FORMAT ?? 'auto' },
  });
  if (service.database) {
    await runMigrations({ name, mainFile: service.mainFile, env, logFile: folder.log(name) });
  }
  const comeBack = serveInstead(folder.served(), name);
  const children = [
    run(swcPath(), swcArguments(service.dir, workspace), { cwd: service.dir, env }),
    run(process.execPath, ['--watch', '--watch-preserve-output', service.mainFile], {
      cwd: service.dir,
      env,
    }),
  ];
  console.log(`Serving ${name} at ${state.gateway_url ?? ''}; Ctrl-C stops it.`);
  const stop = () => {
    for (const child of children) signalGroup(child, 'SIGTERM');
  };
  onStopSignals(stop, () => {
    for (const child of children) signalGroup(child, 'SIGKILL');
  });
  try {
    // Either of them ending ends the watch.
    await Promise.race(children.map(ended));
    stop();
    await Promise.all(children.map(ended));
  } finally {
    comeBack();
  }
}

/** As the workspace's own build, see libs/nx-plugin; tests are no part of a service. */
function swcArguments(dir: string, workspace: string): string[] {
  const ignored = ['**/*.spec.ts', '**/*.int-spec.ts', '**/*.e2e-spec.ts'];
  return [
    ...['src', '-d', 'dist', '--strip-leading-paths', '--copy-files', '--quiet', '--watch'],
    ...['--config-file', join(relative(dir, workspace), '.swcrc')],
    ...ignored.flatMap((glob) => ['--ignore', glob]),
  ];
}

function swcPath(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('@swc/cli/package.json')), 'bin', 'swc.js');
}

function run(
  file: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string> },
): ChildProcess {
  const [command, all] = file.endsWith('.js') ? [process.execPath, [file, ...args]] : [file, args];
  return spawn(command, all, {
    ...options,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid) process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the group is gone
  }
}
