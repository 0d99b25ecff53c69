import { buildOpenApi } from '@gatehouse/kernel';
import { type INestApplication, Injectable, type Type } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';

import { Endpoints, type HttpEndpoint, isPublished } from '../access/endpoints.ts';

interface Operation {
  security?: object[];
  responses?: Record<string, object>;
  [extension: `x-${string}`]: unknown;
}

interface Document {
  paths?: Record<string, Record<string, Operation | undefined>>;
}

/** The service's OpenAPI document, with what the decorators say of access laid over it. Drawn when first asked for. */
@Injectable()
export class OpenApiDocument {
  private document: Promise<Buffer> | undefined;

  constructor(
    private readonly endpoints: Endpoints,
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly http: HttpAdapterHost,
    private readonly references: ModuleRef,
  ) {}

  bytes(): Promise<Buffer> {
    this.document ??= this.draw();
    return this.document;
  }

  /** The application as @nestjs/swagger reads it. Nest injects all of its parts, but not the application itself. */
  private application(): INestApplication {
    const { modules, config, http, references } = this;
    return {
      container: { getModules: () => modules, isGlobalModule: () => false },
      config,
      getHttpAdapter: () => http.httpAdapter,
      get: (token: Type) => references.get<unknown>(token, { strict: false }),
    } as unknown as INestApplication;
  }

  private async draw(): Promise<Buffer> {
    const document = (await buildOpenApi(this.application())) as unknown as Document;
    for (const endpoint of this.endpoints.all()) {
      if (endpoint.transport !== 'http') continue;
      const item = document.paths?.[endpoint.path];
      const method = endpoint.method.toLowerCase();
      const operation = item?.[method];
      if (item === undefined || operation === undefined) continue;
      if (isPublished(endpoint)) describeAccess(operation, endpoint);
      else Reflect.deleteProperty(item, method);
      if (Object.keys(item).length === 0)
        Reflect.deleteProperty(document.paths ?? {}, endpoint.path);
    }
    return Buffer.from(JSON.stringify(document));
  }
}

function describeAccess(operation: Operation, { rules }: HttpEndpoint): void {
  const { access } = rules;
  operation.security = access?.kind === 'public' ? [] : [{ bearer: [] }];
  if (access?.kind === 'permission') operation['x-permission'] = access.permission;
  const answers: Record<string, object> = { ...operation.responses };
  const add = (status: string, description: string): void =>
    void (answers[status] ??= problem(description));
  if (access?.kind !== 'public') add('401', 'No valid access token');
  if (access?.kind === 'permission') add('403', `Without the permission ${access.permission}`);
  if (rules.limits.length > 0) add('429', 'Too many requests');
  add('default', 'Any other error');
  operation.responses = answers;
}

/** The kernel puts it there. */
const PROBLEM = { $ref: '#/components/schemas/Problem' };

function problem(description: string): object {
  return { description, content: { 'application/problem+json': { schema: PROBLEM } } };
}
