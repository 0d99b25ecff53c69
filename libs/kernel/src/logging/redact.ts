/** Members whose value is never logged, by name in lower case without separators. */
const SECRET =
  /^(?:(?:proxy|x)?authorization|cookies?|setcookie|gatehousevia|credentials?|\w*(?:password|passwd|secret|token)s?(?:hash)?|\w+key)$/;
/** A token in the middle of a text: bearer credentials, anything shaped like a JWT, the password of a URL. */
const IN_TEXT =
  /(bearer\s+)[\w.~+/-]+=*|eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*|(:\/\/[^\s:/@"\\]*:)[^\s/@"\\]+(?=@)/gi;
const CENSORED = '[redacted]';
/** Deeper than this nothing of ours is logged, and a cycle ends. */
const MAX_DEPTH = 8;

export function isSecretName(name: string): boolean {
  return SECRET.test(name.toLowerCase().replaceAll(/[-_.]/g, ''));
}

/** A copy of what is about to be logged, without the values of secret members, at any depth. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (isError(value)) return describeError(value, depth);
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof Date || ArrayBuffer.isView(value)) {
    return value instanceof Date ? value : `[${value.byteLength} bytes]`;
  }
  if (value instanceof Map || value instanceof Set) return `[${value.constructor.name}]`;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isSecretName(name) && member !== undefined ? CENSORED : redact(member, depth + 1),
    ]),
  );
}

/** Also an error of another realm, such as a test's sandbox. */
function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** Credentials that stand in the text of a log line, whoever put them there. */
export function redactText(line: string): string {
  return line.replace(
    IN_TEXT,
    (_all, bearer?: string, url?: string) => `${bearer ?? url ?? ''}${CENSORED}`,
  );
}

/**
 * Type, code, message, stack and causes; not an error's other members, which hold what was being worked on (a query's
 * parameters, a whole request).
 */
function describeError(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: redact(error.cause, depth + 1) }),
    ...(error instanceof AggregateError && {
      errors: error.errors.map((inner: unknown) => redact(inner, depth + 1)),
    }),
  };
}
