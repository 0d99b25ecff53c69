export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  required: boolean;
  schema: Schema;
}

export interface Body {
  mediaType: string;
  required: boolean;
  schema: Schema;
}

export interface Operation {
  /** `POST /v1/users`. */
  name: string;
  method: string;
  /** With its parameters in braces. */
  path: string;
  operationId: string;
  /** As the document says it; undefined where it says nothing. */
  security: readonly object[] | undefined;
  isPublic: boolean;
  permission: string | undefined;
  parameters: readonly Parameter[];
  bodies: readonly Body[];
  responses: Readonly<Record<string, { content?: Record<string, unknown> }>>;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** The parts of an OpenAPI 3.1 document that a client is made from. References are followed where something is read. */
export class ApiDocument {
  readonly operations: readonly Operation[];

  constructor(readonly source: object) {
    const { paths = {} } = source as { paths?: Record<string, Record<string, unknown>> };
    this.operations = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([method]) => METHODS.includes(method))
        .map(([method, operation]) => this.operation(path, method, item, operation)),
    );
  }

  /** As the gateway serves it. */
  static async read(gatewayUrl: string): Promise<ApiDocument> {
    const answer = await fetch(`${gatewayUrl}/openapi.json`);
    if (answer.status !== 200) throw new Error(`/openapi.json answered ${answer.status}`);
    return new ApiDocument((await answer.json()) as object);
  }

  /** The schema itself, where it is a reference. @throws where that points at nothing */
  resolve(schema: Schema): Schema {
    const { $ref: reference } = schema;
    if (typeof reference !== 'string') return schema;
    const target = this.at(reference);
    if (typeof target !== 'object' || target === null) throw new Error(`${reference} is not there`);
    return this.resolve(target as Schema);
  }

  /** References of the document that point at nothing. */
  danglingReferences(): string[] {
    return [...references(this.source)].filter((reference) => this.at(reference) === undefined);
  }

  private at(reference: string): unknown {
    if (!reference.startsWith('#/')) return undefined;
    return reference
      .slice(2)
      .split('/')
      .map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>((part, step) => (part as Schema | undefined)?.[step], this.source);
  }

  private operation(path: string, verb: string, item: object, raw: unknown): Operation {
    const method = verb.toUpperCase();
    const {
      operationId = '',
      security,
      parameters = [],
      requestBody,
      responses = {},
      'x-permission': permission,
    } = raw as {
      operationId?: string;
      security?: object[];
      parameters?: Schema[];
      requestBody?: Schema;
      responses?: Operation['responses'];
      'x-permission'?: string;
    };
    const shared = (item as { parameters?: Schema[] }).parameters ?? [];
    return {
      name: `${method} ${path}`,
      method,
      path,
      operationId,
      security,
      isPublic: security?.length === 0,
      permission,
      parameters: [...shared, ...parameters].map((each) => this.parameter(each)),
      bodies: requestBody === undefined ? [] : this.bodies(this.resolve(requestBody)),
      responses,
    };
  }

  private parameter(raw: Schema): Parameter {
    const { name, in: place, required = false, schema = {} } = this.resolve(raw);
    return { name, in: place, required, schema } as Parameter;
  }

  private bodies({ content = {}, required = false }: Schema): Body[] {
    return Object.entries(content as Record<string, { schema?: Schema }>).map(
      ([mediaType, { schema = {} }]) => ({ mediaType, required: required as boolean, schema }),
    );
  }
}

function* references(part: unknown): Generator<string> {
  if (typeof part !== 'object' || part === null) return;
  for (const [name, member] of Object.entries(part) as [string, unknown][]) {
    if (name === '$ref' && typeof member === 'string') yield member;
    else yield* references(member);
  }
}
