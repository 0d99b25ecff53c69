import { createInterface } from 'node:readline/promises';
import { type Answers, askAll } from '../events/ask-all.ts';
import {
  type Filter,
  type Outcome,
  type Work,
  workOnFilter,
  workOnIds,
} from '../events/dead-letter-work.ts';
import { EXIT, type Gateway, Refused } from '../events/gateway.ts';
import { connected, type ConnectOptions } from '../events/log-in.ts';
import { complain, print, printJson } from '../events/print.ts';
import { servicesOnBus } from '../events/services-on-bus.ts';
import * as views from '../events/views.ts';
import { table } from '../terminal/table.ts';
import { CommandError, openContext } from './context.ts';

export interface EventsOptions extends ConnectOptions {
  /** Only these; default all. */
  service?: string[];
  json?: boolean;
}

export interface ParkedOptions extends EventsOptions {
  consumer?: string;
}

export interface DeadLetterOptions extends EventsOptions {
  consumer?: string;
  type?: string;
  reason?: string;
  from?: string;
  before?: string;
}

export interface DeadLetterWorkOptions extends DeadLetterOptions {
  all?: boolean;
  yes?: boolean;
}

export function topics(options: EventsOptions): Promise<void> {
  return show(options, views.topics, (gateway, service) =>
    allPages(gateway, `/v1/${service}/events/topics`),
  );
}

export function lag(options: EventsOptions): Promise<void> {
  return show(options, views.lag, (gateway, service) =>
    allPages(gateway, `/v1/${service}/events/consumers`),
  );
}

export function outbox(options: EventsOptions): Promise<void> {
  return show(options, views.outbox, (gateway, service) =>
    allPages(gateway, `/v1/${service}/events/outbox`),
  );
}

export function parked(options: ParkedOptions): Promise<void> {
  const { consumer } = options;
  return show(options, views.parkedKeys, (gateway, service) =>
    allPages(gateway, `/v1/${service}/events/parked-keys`, { consumer, page_size: '200' }),
  );
}

export function listDeadLetters(options: DeadLetterOptions): Promise<void> {
  const filter = filterOf(options);
  return show(options, views.deadLetters, (gateway, service) =>
    allPages(gateway, `/v1/${service}/dead-letters`, { ...filter, page_size: '200' }),
  );
}

/** Everything of one dead letter, as JSON. */
export async function showDeadLetter(id: string, options: EventsOptions): Promise<void> {
  refuseOtherThanIds([id]);
  await withServices(options, async (gateway, services) => {
    const found = await holdersOf(gateway, services, [id]);
    const [holder] = found.answers.filter(({ answer }) => answer.length > 0);
    complain(found);
    if (!holder) throw new CommandError(`no service has a dead letter ${id}`);
    const letter = await gateway.get<object>(`/v1/${holder.service}/dead-letters/${id}`);
    console.log(JSON.stringify({ service: holder.service, ...letter }, null, 2));
  });
}

/** Replays or discards those named, or those that fit; exit code 2 where not all of it was done. */
export async function workOnDeadLetters(
  work: Work,
  ids: readonly string[],
  options: DeadLetterWorkOptions,
): Promise<void> {
  const filter = filterOf(options);
  const filtered = Object.keys(filter).length > 0;
  if (ids.length > 0 && (filtered || options.all)) {
    throw new CommandError('name dead letters by their ids or by a filter, not by both');
  }
  if (ids.length === 0 && !filtered && !options.all) {
    throw new CommandError(
      'which dead letters? Give ids, a filter (--consumer, --type, ...) or --all',
    );
  }
  refuseOtherThanIds(ids);
  await withServices(options, async (gateway, services) => {
    if (work === 'discard' && ids.length !== 1 && !options.yes) await confirmDiscard(ids, options);
    const done =
      ids.length > 0
        ? await workById(gateway, services, work, ids)
        : await askAll(services, (service) => workOnFilter(gateway, service, work, filter));
    report(done, options);
  });
}

async function show<T>(
  options: EventsOptions,
  view: views.View<T>,
  ask: (gateway: Gateway, service: string) => Promise<T[]>,
): Promise<void> {
  await withServices(options, async (gateway, services) => {
    print(await askAll(services, (service) => ask(gateway, service)), view, options);
  });
}

async function withServices(
  options: EventsOptions,
  work: (gateway: Gateway, services: string[]) => Promise<void>,
): Promise<void> {
  const { workspace, folder } = openContext();
  await connected(folder, options, async (gateway) =>
    work(gateway, await servicesOnBus(gateway, workspace, options.service)),
  );
}

async function allPages<T>(
  gateway: Gateway,
  path: string,
  query: Record<string, string | undefined> = {},
): Promise<T[]> {
  const items: T[] = [];
  let token: string | null | undefined;
  do {
    const page: views.Page<T> = await gateway.get(path, {
      ...query,
      ...(token && { page_token: token }),
    });
    items.push(...page.items);
    token = page.next_page_token;
  } while (token);
  return items;
}

/** Which of the ids each service has. */
function holdersOf(
  gateway: Gateway,
  services: readonly string[],
  ids: readonly string[],
): Promise<Answers<string[]>> {
  return askAll(services, async (service) => {
    const held: string[] = [];
    for (const id of ids) {
      const path = `/v1/${service}/dead-letters/${encodeURIComponent(id)}`;
      const there = await gateway.get(path).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Refused && error.message.includes('DEAD_LETTER_NOT_FOUND')) {
            return false;
          }
          throw error;
        },
      );
      if (there) held.push(id);
    }
    return held;
  });
}

async function workById(
  gateway: Gateway,
  services: readonly string[],
  work: Work,
  ids: readonly string[],
): Promise<Answers<Outcome[]>> {
  const found = await holdersOf(gateway, services, ids);
  const held = found.answers.flatMap(({ answer }) => answer);
  const holders = found.answers.filter(({ answer }) => answer.length > 0);
  const done = await askAll(
    holders.map(({ service }) => service),
    (service) => {
      const own = holders.find((one) => one.service === service)?.answer ?? [];
      return workOnIds(gateway, service, work, own);
    },
  );
  const missing = ids.filter((id) => !held.includes(id)).map((id) => ({ id, outcome: 'gone' }));
  return {
    answers: [...done.answers, ...(missing.length > 0 ? [{ service: '-', answer: missing }] : [])],
    problems: [...found.problems, ...done.problems],
  };
}

function report(done: Answers<Outcome[]>, { json = false }: EventsOptions): void {
  const all = done.answers.flatMap(({ service, answer }) =>
    answer.map(({ id, outcome }) => [service, id, outcome]),
  );
  if (json) printJson(done);
  else if (all.length === 0) console.log('none');
  else console.log(table(['SERVICE', 'ID', 'OUTCOME'], all).join('\n'));
  complain(done);
  const well = ['handled', 'discarded'];
  if (all.some(([, , outcome = '']) => !well.includes(outcome))) process.exitCode = EXIT.partly;
}

async function confirmDiscard(ids: readonly string[], options: DeadLetterOptions): Promise<void> {
  if (!process.stdin.isTTY || options.json) {
    throw new CommandError('discarding many cannot be undone: say --yes where nobody can be asked');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const which = ids.length > 0 ? `${ids.length} dead letters` : 'every dead letter that fits';
    const where = options.service?.join(', ') ?? 'all services';
    const answer = await terminal.question(
      `This gives up ${which} of ${where}: the events are not handled any more. Type "yes" to go on: `,
    );
    if (answer.trim().toLowerCase() !== 'yes') throw new CommandError('nothing was discarded');
  } finally {
    terminal.close();
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function refuseOtherThanIds(ids: readonly string[]): void {
  const wrong = ids.find((id) => !UUID.test(id));
  if (wrong !== undefined) {
    throw new CommandError(`"${wrong}" is not the id of a dead letter: \`list\` shows them`);
  }
}

function filterOf({ consumer, type, reason, from, before }: DeadLetterOptions): Filter {
  return {
    ...(consumer === undefined ? {} : { consumer }),
    ...(type === undefined ? {} : { type }),
    ...(reason === undefined ? {} : { reason }),
    ...(from === undefined ? {} : { failed_from: from }),
    ...(before === undefined ? {} : { failed_before: before }),
  };
}
