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
  const {
    $schema: _dialect,
    $defs = {},
    ...root
  } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type !== 'date') return;
      jsonSchema.type = 'string';
      jsonSchema.format = 'date-time';
    },
  }) as JsonSchema & { $defs?: Record<string, JsonSchema> };

  const components = { ...$defs };
  const { id } = z.globalRegistry.get(schema) ?? {};
  if (id === undefined) return { schema: root, components };
  components[id] = root;
  return { schema: { $ref: `#/components/schemas/${id}` }, components };
}
