import type { INestApplication } from '@nestjs/common';

import { ServiceInfo } from '../service/service-info.ts';
import { toJsonSchema } from './json-schema.ts';

/**
 * The OpenAPI 3.1 document of a service, from its controllers and their schemas; admin routes are left out. Loads
 * @nestjs/swagger at its first call, so that a process nobody asks never pays for it.
 */
export async function buildOpenApi(app: INestApplication): Promise<object> {
  const { DocumentBuilder, SwaggerModule } = await import('@nestjs/swagger');
  const service = app.get(ServiceInfo);
  const base = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(service.name)
    .setVersion(service.version)
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, base, {
    standardSchemaConverter: (schema, { schemaType }) => toJsonSchema(schema, schemaType),
  });
}
