import { z } from 'zod';

import { dataSchemaOf, isEventType, topicOf } from './event-type.ts';

/** Event types to the schema of their data. */
export type EventSchemas = Readonly<Record<string, z.ZodType>>;

/** Event types to their data: what a contract adds to {@link IntegrationEventMap}. */
export type EventDataOf<S extends EventSchemas> = { [K in keyof S]: z.infer<S[K]> };

/**
 * Every event of the platform and its data, by type. Each contract project adds its own, so that a misspelt event does
 * not compile where it is published nor where it is subscribed to:
 *
 * ```ts
 * declare module '@gatehouse/contracts-platform' {
 *   interface IntegrationEventMap extends EventDataOf<typeof schemas> {}
 * }
 * ```
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is filled by augmentation
export interface IntegrationEventMap {}

export type IntegrationEventType = keyof IntegrationEventMap;

/** What one service publishes. */
export interface EventCatalogue<K extends string = string> {
  readonly service: string;
  readonly types: readonly K[];
  /** `['identity.user']`, sorted. */
  readonly topics: readonly string[];
  /** The schema of an event's data; throws for a type that is not in the catalogue. */
  schemaOf(type: string): z.ZodType;
  /** The same as JSON Schema (draft 2020-12), as committed under `schemas/<type>.schema.json`. */
  jsonSchemaOf(type: string): Record<string, unknown>;
}

/** Throws where a type is misnamed or belongs to another service. */
export function defineEvents<S extends EventSchemas>(
  service: string,
  schemas: S,
): EventCatalogue<keyof S & string> {
  const types = Object.keys(schemas) as (keyof S & string)[];
  for (const type of types) {
    if (!isEventType(type) || !type.startsWith(`${service}.`)) {
      throw new Error(
        `"${type}" is not an event of ${service}: <service>.<entity>.<past-tense>.v<n>`,
      );
    }
  }
  const schemaOf = (type: string): z.ZodType => {
    const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
    if (schema === undefined) throw new Error(`${service} has no event "${type}"`);
    return schema;
  };
  return Object.freeze({
    service,
    types,
    topics: [...new Set(types.map(topicOf))].sort(),
    schemaOf,
    jsonSchemaOf: (type: string) => {
      const { $schema, ...schema } = z.toJSONSchema(schemaOf(type), {
        target: 'draft-2020-12',
        // What a reader takes: members that a later version adds are no error.
        io: 'input',
      });
      return { $schema, $id: dataSchemaOf(type), title: type, ...schema };
    },
  });
}
