import type { EventCatalogue } from '@gatehouse/contracts-platform';

import { commentsOf, CORE_APPS, CORE_CONTRACTS, exportsOf, filesAt, textOf } from './sources.ts';
import { code, table } from './table.ts';

interface JsonSchema {
  type?: string;
  format?: string;
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly JsonSchema[];
  items?: JsonSchema;
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: readonly string[];
}

/** `docs/reference/events.md`: every event of every contract, its data, and who of this repository acts on it. */
export async function eventReference(): Promise<string> {
  const consumers = consumersByType();
  const services = await Promise.all(
    filesAt(`${CORE_CONTRACTS}/src/events.ts`).map(async (file) => {
      const catalogue = Object.values(await exportsOf(file)).find(isCatalogue);
      return catalogue === undefined ? '' : section(catalogue, commentsOf(file), consumers);
    }),
  );
  return `# Events

<!-- Written by \`npm run docs:reference\` from the events of the contracts and the subscribers of the services. -->

The type of an event names its topic: \`identity.user.created.v1\` is on \`identity.user\`, whose key is the id of the user. The envelope and the
guarantees are in [events](../events.md). JSON Schemas are beside the contracts: \`libs/contracts/<service>/schemas\`. Readers ignore
members that they do not know.

${services.filter(Boolean).join('\n\n')}
`;
}

function section(
  catalogue: EventCatalogue,
  comments: ReadonlyMap<string, string>,
  consumers: ReadonlyMap<string, string[]>,
): string {
  const events = catalogue.types.map((type) => {
    const { properties = {}, required = [] } = catalogue.jsonSchemaOf(type) as JsonSchema;
    const rows = Object.entries(properties).map(([name, schema]) => [
      code(name),
      kindOf(schema),
      required.includes(name) ? 'always' : 'may be absent',
    ]);
    const said = comments.get(type);
    return [
      `### ${type}`,
      ...(said === undefined ? [] : [said]),
      ...(rows.length > 0 ? [table(['Member', 'Kind', 'Present'], rows)] : ['It has no data.']),
      `Acted on by: ${consumers.get(type)?.sort().join(', ') ?? 'nobody in this repository'}.`,
    ].join('\n\n');
  });
  return [`## Of ${catalogue.service}`, ...events].join('\n\n');
}

function kindOf(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(kindOf).join(' or ');
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  if (schema.type === 'array') return `list of ${kindOf(schema.items ?? {})}`;
  if (schema.properties !== undefined) {
    const members = Object.entries(schema.properties);
    return `object (${members.map(([name, member]) => `${code(name)}: ${kindOf(member)}`).join('; ')})`;
  }
  return schema.format ?? schema.type ?? 'any';
}

function isCatalogue(exported: unknown): exported is EventCatalogue {
  return typeof exported === 'object' && exported !== null && 'jsonSchemaOf' in exported;
}

/** Read from the decorators, because a service's module cannot be loaded here. */
function consumersByType(): Map<string, string[]> {
  const consumers = new Map<string, string[]>();
  for (const file of filesAt(`${CORE_APPS}/src/**/*.subscriber.ts`)) {
    const service = file.split('/')[1] ?? '';
    for (const [, args = ''] of textOf(file).matchAll(
      /@OnIntegrationEvent\(([\s\S]*?)\)\s*\n\s*(?:async )?\w+\(/g,
    )) {
      const consumer = /consumer: '([\w-]+)'/.exec(args)?.[1] ?? '';
      for (const [, type = ''] of args.matchAll(/'([\w-]+\.[\w-]+\.[\w-]+\.v\d+)'/g)) {
        consumers.set(type, [...(consumers.get(type) ?? []), `${service} (${code(consumer)})`]);
      }
    }
  }
  return consumers;
}
