import { AlreadyRunning } from '../data/launcher-lock.ts';
import { stateFile } from '../data/platform-state.ts';
import { Platform, type PlatformOptions } from '../platform/platform.ts';
import { summaryLines } from '../terminal/summary.ts';
import { Terminal } from '../terminal/terminal.ts';
import { variableOf } from '@gatehouse/launcher';
import { CommandError, countOf, openContext, portOf } from './context.ts';
import { onStopSignals } from './stop-signals.ts';

export interface StartOptions {
  port?: string;
  adminPort?: string;
  adminEmail?: string;
  scale?: boolean;
  instances?: string;
  gateways?: string;
}

const MOST_INSTANCES = 8;

class Stopped extends Error {}

/** Brings the platform up and keeps it up until it is told to stop. */
export async function start(options: StartOptions): Promise<void> {
  const scale = scaleOf(options);
  const { workspace, folder } = openContext(scale ? 'scale' : 'embedded');
  const terminal = new Terminal();
  const platform = new Platform(
    {
      workspace,
      folder,
      gatewayPort: portOf(options.port, 'GATEWAY_PORT', 8080),
      gatewayAdminPort: portOf(options.adminPort, 'GATEWAY_ADMIN_PORT', 8081),
      administratorEmail: options.adminEmail ?? process.env.GATEHOUSE_ADMIN_EMAIL,
      scale,
    },
    terminal,
  );

  const abort = new AbortController();
  const asked = new Promise<void>((resolve) => {
    onStopSignals(
      () => {
        terminal.line();
        terminal.line('Stopping (Ctrl-C again to force)');
        abort.abort(new Stopped());
        resolve();
      },
      () => process.exit(130),
    );
  });
  // Whatever ends this process by itself leaves nothing running.
  process.on('exit', () => platform.kill());
  const crashed = new Promise<never>((_, reject) => {
    process.on('uncaughtException', reject);
    process.on('unhandledRejection', reject);
  });

  let failure: Error | undefined;
  try {
    const began = performance.now();
    terminal.line(
      terminal.bold(scale ? 'Starting Gatehouse, scale profile' : 'Starting Gatehouse'),
    );
    const summary = await Promise.race([platform.start(abort.signal), crashed]);
    const took = ((performance.now() - began) / 1000).toFixed(1);
    terminal.line();
    terminal.line(terminal.bold(`Gatehouse is ready (${took} s)`));
    terminal.line();
    for (const line of summaryLines(summary)) terminal.line(line);
    terminal.line();
    terminal.line(terminal.dim('Ctrl-C stops everything.'));
    await Promise.race([asked, crashed]);
  } catch (error) {
    if (!isWish(error)) failure = error as Error;
  }
  await platform.stop();
  if (failure instanceof AlreadyRunning) {
    const url = stateFile(folder).read()?.gateway_url;
    throw new CommandError(
      `${failure.message}${url ? ` at ${url}` : ''}.\n` +
        `Stop it first, or give this one data and ports of its own: GATEHOUSE_DATA_DIR=/another/folder GATEWAY_PORT=9080 GATEWAY_ADMIN_PORT=9081 npm start`,
    );
  }
  if (failure) throw failure;
  terminal.line('Stopped.');
}

/** It was asked to stop, or a command was ended because of that. */
function isWish(error: unknown): boolean {
  return error instanceof Stopped || (error as Error).name === 'AbortError';
}

/** @throws CommandError naming what is missing, or what is wrong */
function scaleOf({ scale, instances, gateways }: StartOptions): PlatformOptions['scale'] {
  if (!scale) {
    if (instances === undefined && gateways === undefined) return undefined;
    throw new CommandError('--instances and --gateways go with --scale');
  }
  if (!variableOf(process.env, 'DATABASE_URL')) {
    throw new CommandError(
      'the scale profile runs on engines of your own, and DATABASE_URL (or DATABASE_URL_FILE) is not set: a superuser’s connection (for example DATABASE_URL=postgres://postgres:...@127.0.0.1:5432/gatehouse).\n' +
        'KAFKA_BROKERS, CONSUL_HTTP_ADDR and REDIS_URL move events, the registry, and caches and limits to theirs, each by itself.',
    );
  }
  return {
    instances: countOf(instances, '--instances', MOST_INSTANCES),
    gateways: countOf(gateways, '--gateways', MOST_INSTANCES),
  };
}
