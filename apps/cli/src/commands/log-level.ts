import { EXIT, type Gateway, Refused } from '../events/gateway.ts';
import { connected, type ConnectOptions } from '../events/log-in.ts';
import { table } from '../terminal/table.ts';
import { CommandError, openContext } from './context.ts';

export interface LogLevelOptions extends ConnectOptions {
  /** `10m` */
  for?: string;
  reset?: boolean;
  json?: boolean;
}

interface Levels {
  service: string;
  instances: {
    instance_id: string;
    level: string | null;
    configured_level: string | null;
    until: string | null;
    problem: string | null;
  }[];
}

/** Shows the log level of every instance of a service, or changes it for a time, or takes a change back. */
export async function logLevel(
  service: string,
  level: string | undefined,
  options: LogLevelOptions,
): Promise<void> {
  if (!/^[a-z][a-z0-9-]*$/.test(service)) throw new CommandError(`"${service}" is not a service`);
  if (level !== undefined && options.reset) {
    throw new CommandError('name a level or say --reset, not both');
  }
  const seconds = options.for === undefined ? undefined : secondsOf(options.for);
  if (seconds !== undefined && level === undefined) {
    throw new CommandError('--for belongs to a level: `log-level auth debug --for 10m`');
  }
  const { folder } = openContext();
  const levels = await connected(folder, options, (gateway) =>
    ask(gateway, `/v1/${service}/log-level`, level, seconds, options),
  );
  print(levels, options);
}

async function ask(
  gateway: Gateway,
  path: string,
  level: string | undefined,
  seconds: number | undefined,
  { reset }: LogLevelOptions,
): Promise<Levels> {
  try {
    if (reset) return await gateway.delete<Levels>(path);
    if (level === undefined) return await gateway.get<Levels>(path);
    return await gateway.put<Levels>(path, {
      level,
      ...(seconds !== undefined && { for_seconds: seconds }),
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const exits: Record<number, number> = { 401: EXIT.notLoggedIn, 403: EXIT.forbidden };
    throw new CommandError(error.message, exits[error.status] ?? EXIT.failed);
  }
}

/** `90s`, `10m`, `2h`; how much is too much the service says. */
function secondsOf(text: string): number {
  const { count = '', unit = '' } = /^(?<count>\d{1,6})(?<unit>[smh])$/.exec(text)?.groups ?? {};
  const factors: Record<string, number> = { s: 1, m: 60, h: 3600 };
  const { [unit]: factor } = factors;
  if (factor === undefined) {
    throw new CommandError(`--for is a time such as 90s, 10m or 2h, not "${text}"`);
  }
  return Number(count) * factor;
}

function print({ service, instances }: Levels, { json }: LogLevelOptions): void {
  if (json) {
    console.log(JSON.stringify({ service, instances }, null, 2));
  } else {
    const rows = instances.map((one) => [
      one.instance_id,
      one.level ?? '-',
      one.until ?? '-',
      one.configured_level ?? '-',
    ]);
    console.log(table(['INSTANCE', 'LEVEL', 'UNTIL', 'CONFIGURED'], rows).join('\n'));
  }
  for (const { instance_id: id, problem } of instances) {
    if (problem === null) continue;
    process.stderr.write(`gatehouse: ${service} ${id} did not answer: ${problem}\n`);
    process.exitCode = EXIT.partly;
  }
}
