import { z } from 'zod';

type JsonSchema = Record<string, unknown>;

/**
 * A zod schema as JSON Schema 2020-12, which is what OpenAPI 3.1 speaks. Schemas with `.meta({ id })` become components.
 * @param io `input`: what a client sends; `output`: what it gets
 */
export function toJsonSchema(
  schema: unknown,
  io: 'input' | 'output',
): { schema: JsonSchema; components: Record<string, JsonSchema> } | undefined {
  if (!(schema instanceof z.core.$ZodType)) return undefined;
  const converted = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type !== 'date') return;
      jsonSchema.type = 'string';
      jsonSchema.format = 'date-time';
    },
  });
  const {
    $schema: _dialect,
    $defs: components = {},
    ...root
  } = inComponents(converted) as JsonSchema & { $defs?: Record<string, JsonSchema> };
  return { schema: root, components };
}

/** A document keeps what is shared under `components`, JSON Schema under `$defs`. */
function inComponents(schema: object): unknown {
  return JSON.parse(
    JSON.stringify(schema).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/'),
  );
}
