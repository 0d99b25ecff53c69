import { Command, Option } from 'commander';
import type {
  DeadLetterOptions,
  DeadLetterWorkOptions,
  EventsOptions,
  ParkedOptions,
} from './events.ts';

const load = () => import('./events.ts');

/** `gatehouse events`: what stands in the bus of every service, and what to do about dead letters. */
export function eventsProgram(): Command {
  const events = new Command('events')
    .description('look at topics, lag and parked keys; replay or discard dead letters')
    .addHelpText(
      'after',
      `
Asks every service through the gateway: of the platform that runs on this machine's data, as its
administrator, or of --gateway with --token or GATEHOUSE_TOKEN.

Exit codes: 0 done; 1 failed; 2 some services did not answer, or some dead letters were not handled;
3 not logged in; 4 no permission.`,
    );

  command(events, 'topics', 'topics of each service, and what lies in them').action(
    async (options: EventsOptions) => (await load()).topics(options),
  );
  command(events, 'lag', 'consumers, how far behind each is, and what waits').action(
    async (options: EventsOptions) => (await load()).lag(options),
  );
  command(events, 'outbox', 'what is committed and not yet sent').action(
    async (options: EventsOptions) => (await load()).outbox(options),
  );
  command(events, 'parked', 'keys whose events wait behind one that was not handled')
    .option('--consumer <name>', 'only those of this consumer')
    .action(async (options: ParkedOptions) => (await load()).parked(options));

  const letters = events
    .command('dead-letters')
    .description('events that were not handled and wait for a replay or a discard');
  filters(command(letters, 'list', 'list them, oldest first', { isDefault: true })).action(
    async (options: DeadLetterOptions) => (await load()).listDeadLetters(options),
  );
  command(letters, 'show <id>', 'everything of one, as JSON').action(
    async (id: string, options: EventsOptions) => (await load()).showDeadLetter(id, options),
  );
  filters(command(letters, 'replay [ids...]', 'try them once more, with the ids they have'))
    .option('--all', 'every one')
    .action(async (ids: string[], options: DeadLetterWorkOptions) =>
      (await load()).workOnDeadLetters('replay', ids, options),
    );
  filters(command(letters, 'discard [ids...]', 'give them up; the events behind them follow'))
    .option('--all', 'every one')
    .option('-y, --yes', 'do not ask')
    .action(async (ids: string[], options: DeadLetterWorkOptions) =>
      (await load()).workOnDeadLetters('discard', ids, options),
    );
  return events;
}

function command(
  parent: Command,
  name: string,
  description: string,
  options: { isDefault?: boolean } = {},
): Command {
  return parent
    .command(name, options)
    .description(description)
    .addOption(new Option('--gateway <url>', 'address of the gateway'))
    .addOption(new Option('--token <token>', 'access token (default: GATEHOUSE_TOKEN)'))
    .option('--service <names...>', 'only these services')
    .option('--json', 'for machines');
}

function filters(one: Command): Command {
  return one
    .option('--consumer <name>', 'of this consumer')
    .option('--type <type>', 'events of this type')
    .option('--reason <code>', 'whose reason has this code')
    .option('--from <time>', 'failed last at this time or later (RFC 3339)')
    .option('--before <time>', 'failed last before this time (RFC 3339)');
}
