import type { OpenApiDocument as Document } from '@gatehouse/guards';
import type { ServiceInfo } from '@gatehouse/kernel';
import { isOwnApi } from '../front/own-routes.ts';
import type { OpenApiDocument, ServiceDocument } from './merge-openapi.ts';

/** The gateway's own part of the merged document: its API, not the pages and health checks beside it. */
export async function ownDocument(own: Document, { name }: ServiceInfo): Promise<ServiceDocument> {
  const document = JSON.parse((await own.bytes()).toString('utf8')) as OpenApiDocument;
  const serves = Object.entries(document.paths ?? {})
    .filter(([path]) => isOwnApi(path))
    .flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
  return { service: name, document, serves: new Set(serves) };
}
