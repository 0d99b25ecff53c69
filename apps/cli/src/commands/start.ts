import { AlreadyRunning } from '../data/launcher-lock.ts';
import { stateFile } from '../data/platform-state.ts';
import { Platform } from '../platform/platform.ts';
import { summaryLines } from '../terminal/summary.ts';
import { Terminal } from '../terminal/terminal.ts';
import { CommandError, openContext, portOf } from './context.ts';
import { onStopSignals } from './stop-signals.ts';

export interface StartOptions {
  port?: string;
  adminPort?: string;
  adminEmail?: string;
}

class Stopped extends Error {}

/** Brings the platform up and keeps it up until it is told to stop. */
export async function start(options: StartOptions): Promise<void> {
  const { workspace, folder } = openContext();
  const terminal = new Terminal();
  const platform = new Platform(
    {
      workspace,
      folder,
      gatewayPort: portOf(options.port, 'GATEWAY_PORT', 8080),
      gatewayAdminPort: portOf(options.adminPort, 'GATEWAY_ADMIN_PORT', 8081),
      administratorEmail: options.adminEmail ?? process.env.GATEHOUSE_ADMIN_EMAIL,
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
    terminal.line(terminal.bold('Starting Gatehouse'));
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
    if (!(error instanceof Stopped)) failure = error as Error;
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
