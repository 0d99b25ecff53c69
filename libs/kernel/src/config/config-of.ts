import { z } from 'zod';

import { noteCertificates } from './certificates.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { currentScope } from './process-scope.ts';
import { resolveVariable, UnreadableVariable } from './variable.ts';

/**
 * A class whose instance is the validated, frozen configuration of its shape: one environment variable a member.
 *
 * ```ts
 * export class AuthConfig extends configOf({
 *   AUTH_ISSUER: z.url().meta({ example: 'https://id.example' }),
 * }) {}
 * ```
 *
 * Provide the class; Nest makes it once, and with it reads the environment once. How a variable is found: `resolveVariable`.
 * @throws ConfigError (from the constructor) that names every wrong variable of the shape, what is wrong and an example
 */
export function configOf<S extends z.ZodRawShape>(shape: S): ConfigClass<S> {
  // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- its members are the shape's
  return class {
    /** What the reference of variables is written from. */
    static readonly shape = shape;

    constructor() {
      Object.assign(this, parseEnvironment(shape));
      Object.freeze(this);
    }
  } as unknown as ConfigClass<S>;
}

export interface ConfigClass<S extends z.ZodRawShape> {
  new (): Readonly<z.infer<z.ZodObject<S>>>;
  /** The schema of each variable, by name. */
  readonly shape: S;
}

/**
 * A default in the embedded profile only; elsewhere the variable is required:
 * `z.url().default(embeddedDefault('http://127.0.0.1:8080'))`.
 */
export function embeddedDefault<T>(value: T): () => T {
  return () => {
    if (currentScope().env.GATEHOUSE_PROFILE !== 'embedded') throw new NoDefault();
    return value;
  };
}

class NoDefault extends Error {}

function parseEnvironment(shape: z.ZodRawShape): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  for (const [variable, schema] of Object.entries(shape)) {
    const result = parseVariable(variable, schema);
    if ('problem' in result) {
      problems.push({ variable, problem: result.problem, example: exampleOf(schema) });
    } else {
      values[variable] = result.value;
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  noteCertificates(values);
  return values;
}

function parseVariable(
  variable: string,
  schema: z.core.$ZodType,
): { value: unknown } | { problem: string } {
  try {
    const raw = resolveVariable(variable);
    const result = z.safeParse(schema, raw);
    if (result.success) return { value: result.data };
    const wrong = result.error.issues.map((issue) => issue.message).join('; ');
    return { problem: raw === undefined ? 'is required and not set' : wrong };
  } catch (error) {
    if (error instanceof NoDefault) return { problem: 'is required outside the embedded profile' };
    if (error instanceof UnreadableVariable) {
      return { problem: `${error.message}: ${(error.cause as Error).message}` };
    }
    throw error;
  }
}

function exampleOf(schema: z.core.$ZodType): string | undefined {
  const example = z.globalRegistry.get(schema)?.example;
  if (typeof example === 'string') return example;
  // .meta() before .default() or .optional() sits on the schema they wrap.
  const inner = (schema._zod.def as { innerType?: z.core.$ZodType }).innerType;
  return inner === undefined ? undefined : exampleOf(inner);
}
