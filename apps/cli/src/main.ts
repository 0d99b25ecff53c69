import { Command } from 'commander';
import type { BootstrapOptions } from './commands/bootstrap.ts';
import { CommandError } from './commands/context.ts';
import type { DoctorOptions } from './commands/doctor.ts';
import { eventsProgram } from './commands/events.program.ts';
import type { LogLevelOptions } from './commands/log-level.ts';
import type { ProvisionOptions } from './commands/provision.ts';
import type { ResetOptions } from './commands/reset.ts';
import type { StartOptions } from './commands/start.ts';

const program = new Command('gatehouse')
  .description('Runs and looks after a Gatehouse platform')
  .addHelpText(
    'after',
    `
Environment:
  GATEHOUSE_DATA_DIR      where everything is kept (default: .gatehouse of the workspace; with --scale .gatehouse-scale)
  GATEWAY_PORT            the gateway's address for clients (default: 8080)
  GATEWAY_ADMIN_PORT      its metrics, health and diagnostics (default: 8081)
  GATEHOUSE_ADMIN_EMAIL   the first administrator's address (first start only)
  GATEHOUSE_WORKSPACE     where apps/ is (default: the one this command is part of)
  GATEHOUSE_TOKEN         an access token for \`gatehouse events\` and \`log-level\`
  LOG_LEVEL               of every service: trace, debug, info, warn, error`,
  );

program
  .command('start')
  .description('start the whole platform on an embedded PostgreSQL; Ctrl-C stops it')
  .option('--scale', 'on the engines that the environment names instead: DATABASE_URL at least')
  .option('--instances <count>', 'of each service, with --scale (default: 1)')
  .option('--gateways <count>', 'with --scale (default: 1), two ports apart')
  .option('--port <port>', 'gateway port, instead of GATEWAY_PORT')
  .option('--admin-port <port>', 'gateway admin port, instead of GATEWAY_ADMIN_PORT')
  .option('--admin-email <address>', 'the first administrator, instead of GATEHOUSE_ADMIN_EMAIL')
  .action(async (options: StartOptions) => (await import('./commands/start.ts')).start(options));

program
  .command('reset')
  .description('delete all data of the platform, after asking')
  .option('-y, --yes', 'do not ask')
  .action(async (options: ResetOptions) => (await import('./commands/reset.ts')).reset(options));

program
  .command('provision')
  .description(
    'make roles, schemas, keys, credentials and the directory in DATABASE_URL, and principals on each engine in use',
  )
  .option(
    '--rotate',
    'give every service new passwords and tokens; running ones take them by themselves',
  )
  .option('--directory-file <file>', 'publish the directory there as well')
  .option('--json', 'print what was made as one line of JSON')
  .option('--credentials <folder>', 'where credential files go (default: of the data folder)')
  .action(async (options: ProvisionOptions) =>
    (await import('./commands/provision.ts')).provision(options),
  );

program
  .command('bootstrap')
  .description('make the first administrator, once')
  .option('--credentials <folder>', 'where provision put them (default: of the data folder)')
  .option('--administrator-file <file>', 'where id and password are kept')
  .option('--email <address>', 'instead of GATEHOUSE_ADMIN_EMAIL')
  .option('--auth <host:port>', 'gRPC address (default: of the running platform)')
  .option('--identity <host:port>', 'gRPC address (default: of the running platform)')
  .option('--authz <host:port>', 'gRPC address (default: of the running platform)')
  .action(async (options: BootstrapOptions) =>
    (await import('./commands/bootstrap.ts')).bootstrap(options),
  );

program
  .command('doctor')
  .description('look for what keeps the platform from working, and say how to mend it')
  .option('--scale', 'of a platform that is started with --scale')
  .option('--json', 'for machines')
  .action(async (options: DoctorOptions) => (await import('./commands/doctor.ts')).doctor(options));

program
  .command('serve')
  .argument('<service>', 'as in its package.json: identity')
  .description('run one service in watch mode as part of the running platform')
  .action(async (service: string) => (await import('./commands/serve.ts')).serve(service));

program
  .command('log-level')
  .description('show the log level of a service, or change it in all its instances for a time')
  .argument('<service>', 'as in its package.json: identity; or gateway')
  .argument('[level]', 'trace, debug, info, warn, error or fatal')
  .option('--for <time>', 'how long: 90s, 10m, 2h (default: 10m; a day at most)')
  .option('--reset', 'back to LOG_LEVEL at once')
  .option('--gateway <url>', 'address of the gateway')
  .option('--token <token>', 'access token (default: GATEHOUSE_TOKEN)')
  .option('--json', 'for machines')
  .action(async (service: string, level: string | undefined, options: LogLevelOptions) =>
    (await import('./commands/log-level.ts')).logLevel(service, level, options),
  );

program.addCommand(eventsProgram());

try {
  await program.parseAsync();
  process.exit();
} catch (error) {
  // What a person can act on comes without a stack; DEBUG brings it back.
  const known = error instanceof CommandError || !process.env.DEBUG;
  process.stderr.write(`gatehouse: ${known ? messageOf(error) : String((error as Error).stack)}\n`);
  process.exit(error instanceof CommandError ? error.exitCode : 1);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
