import { runInScope } from '@gatehouse/kernel';
import { z } from 'zod';

import { commentsOf, CORE_APPS, exportsOf, filesAt } from './sources.ts';
import { code, table } from './table.ts';

interface ConfigClass {
  readonly name: string;
  readonly shape: Readonly<Record<string, z.ZodType>>;
}

/** `docs/reference/configuration.md`: every variable of every configuration class. */
export async function configurationReference(): Promise<string> {
  const parts = await Promise.all(filesAt(`{${CORE_APPS},libs/*}/src/**/*.config.ts`).map(partsOf));
  return `# Configuration

<!-- Written by \`npm run docs:reference\` from the configuration classes. -->

Environment variables, validated at the start: a wrong value ends it with exit code 78 and a message that names each wrong variable, what is wrong, and an example. Each may come
from a file instead: \`<VARIABLE>_FILE\` names it, or it lies in the credentials folder (\`GATEHOUSE_CREDENTIALS_DIR\`) under the
variable's name in kebab-case. A process reads the classes of the libraries it uses and its own. How they work together is in
[operations](../operations.md) and [profiles](../profiles.md).

${parts.flat().join('\n\n')}
`;
}

async function partsOf(file: string): Promise<string[]> {
  const comments = commentsOf(file);
  return Object.values(await exportsOf(file))
    .filter(isConfigClass)
    .map(({ name, shape }) => {
      const rows = Object.entries(shape).map(([variable, schema]) => [
        code(variable),
        valuesOf(schema),
        defaultOf(schema),
        comments.get(variable) ?? '',
      ]);
      return [
        `## ${name}`,
        `Of \`${file.split('/').slice(0, 2).join('/')}\`. ${comments.get(name) ?? ''}`.trim(),
        table(['Variable', 'Values', 'Default', 'Meaning'], rows),
      ].join('\n\n');
    });
}

interface JsonSchema {
  type?: string;
  format?: string;
  enum?: readonly string[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  anyOf?: readonly JsonSchema[];
  default?: unknown;
}

function schemaOf(schema: z.ZodType, profile: 'embedded' | 'scale'): JsonSchema {
  return runInScope({ env: { GATEHOUSE_PROFILE: profile }, packageDir: '.' }, () =>
    z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }),
  ) as JsonSchema;
}

function valuesOf(schema: z.ZodType): string {
  const described = (it: JsonSchema): string => {
    if (it.anyOf !== undefined) return it.anyOf.map(described).join(' or ');
    if (it.enum !== undefined) return it.enum.map(code).join(', ');
    if (it.const !== undefined) return code(JSON.stringify(it.const));
    if (it.type === 'integer' || it.type === 'number') {
      const kind = it.type === 'integer' ? 'whole number' : 'number';
      const bounds = [
        it.minimum === undefined ? '' : `from ${it.minimum}`,
        it.maximum === undefined || it.maximum >= Number.MAX_SAFE_INTEGER ? '' : `to ${it.maximum}`,
      ];
      return [kind, ...bounds].filter(Boolean).join(' ');
    }
    return it.format ?? (it.type === 'string' || it.type === undefined ? 'text' : it.type);
  };
  const example = exampleOf(schema);
  const values = described(schemaOf(schema, 'embedded'));
  return example === undefined || values.includes('number') || values.startsWith('`')
    ? values
    : `${values}, such as ${code(example)}`;
}

function defaultOf(schema: z.ZodType): string {
  // One that the machine decides is described by its schema.
  const described = z.globalRegistry.get(schema)?.defaultText;
  if (typeof described === 'string') return described;
  const there = (profile: 'embedded' | 'scale') => {
    const outcome = runInScope({ env: { GATEHOUSE_PROFILE: profile }, packageDir: '.' }, () => {
      try {
        return schema.safeParse(undefined);
      } catch {
        return { success: false as const, data: undefined };
      }
    });
    if (!outcome.success) return 'required';
    if (outcome.data === undefined) return 'none';
    return outcome.data === '' ? 'empty' : code(textOfValue(outcome.data));
  };
  const [embedded, scale] = [there('embedded'), there('scale')];
  return embedded === scale ? scale : `${scale}; embedded: ${embedded}`;
}

function textOfValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function exampleOf(schema: z.ZodType): string | undefined {
  const example = z.globalRegistry.get(schema)?.example;
  if (typeof example === 'string') return example;
  const inner = (schema as { def: { innerType?: z.ZodType } }).def.innerType;
  return inner === undefined ? undefined : exampleOf(inner);
}

function isConfigClass(exported: unknown): exported is ConfigClass {
  return typeof exported === 'function' && 'shape' in exported;
}
