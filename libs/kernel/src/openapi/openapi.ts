import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

import { ServiceInfo } from '../service/service-info.ts';
import { toJsonSchema } from './json-schema.ts';
import { PROBLEM_RESPONSE, PROBLEM_SCHEMA } from './problem-schema.ts';

/** What the platform's processes ask each other is no part of a service's document. */
const INTERNAL = '/.well-known/gatehouse/';

/**
 * The OpenAPI 3.1 document of a service, from its controllers and their schemas. Every operation may answer with a problem
 * (RFC 9457); admin routes and those of `/.well-known/gatehouse/` are left out. Loads @nestjs/swagger at its first call, so
 * that a process nobody asks never pays for it.
 */
export async function buildOpenApi(app: INestApplication): Promise<OpenAPIObject> {
  const { DocumentBuilder, SwaggerModule } = await import('@nestjs/swagger');
  const service = app.get(ServiceInfo);
  const base = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(service.name)
    .setVersion(service.version)
    .addBearerAuth()
    .build();
  const document = SwaggerModule.createDocument(app, base, {
    standardSchemaConverter: (schema, { schemaType }) => toJsonSchema(schema, schemaType),
  });
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: PROBLEM_SCHEMA as never },
  };
  document.paths = Object.fromEntries(
    Object.entries(document.paths).filter(([path]) => !path.startsWith(INTERNAL)),
  );
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.get, path.post, path.put, path.patch, path.delete]) {
      if (operation) operation.responses = { ...operation.responses, default: PROBLEM_RESPONSE };
    }
  }
  return document;
}
