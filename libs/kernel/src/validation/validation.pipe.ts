import { ValidationFailed, type Violation } from '@gatehouse/contracts-platform';
import { type ArgumentMetadata, Injectable, StandardSchemaValidationPipe } from '@nestjs/common';

import { escapePointer } from '../http/json-rules.ts';

/** What a Standard Schema (https://standardschema.dev) says is wrong. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** More than this helps nobody mend a request. */
const MAX_VIOLATIONS = 50;

/** Where an argument stands in the request, as the first part of a pointer. A body's pointers begin at its root. */
const PREFIX: Record<string, string> = { query: '/query', param: '/path' };

/**
 * Judges each argument that declares a schema (`@Body({ schema })`, `@Query({ schema })`, `@Param('id', { schema })`) and
 * hands on what the schema made of it. Throws `ValidationFailed`, one violation for each thing that is wrong.
 */
@Injectable()
export class ValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const { schema } = metadata;
    if (schema === undefined || !this.toValidate(metadata)) return value;
    const result = await this.validate(value, schema, this.validateOptions);
    if (result.issues !== undefined) {
      const root =
        (PREFIX[metadata.type] ?? '') +
        (metadata.data === undefined ? '' : `/${escapePointer(metadata.data)}`);
      throw new ValidationFailed(undefined, { violations: violationsOf(result.issues, root) });
    }
    return result.value as T;
  }
}

/** The issues of a Standard Schema as violations under a pointer. */
export function violationsOf(issues: readonly Issue[], root = ''): Violation[] {
  return issues.flatMap((issue) => pointers(issue, root)).slice(0, MAX_VIOLATIONS);
}

function pointers(issue: Issue, root: string): Violation[] {
  const path = (issue.path ?? []).map((segment) =>
    String(typeof segment === 'object' ? segment.key : segment),
  );
  const pointer = [root, ...path.map(escapePointer)].join('/');
  // zod reports unknown members at their parent; each is shown where it stands.
  const { code, keys } = issue as { code?: string; keys?: string[] };
  if (code === 'unrecognized_keys' && keys !== undefined) {
    return keys.map((key) => ({
      pointer: `${pointer}/${escapePointer(key)}`,
      message: 'This member is not known here',
    }));
  }
  return [{ pointer, message: issue.message }];
}
