/** The parts of an OpenAPI 3.1 document that are looked at here; the rest is passed on. */
export interface OpenApiDocument {
  openapi?: string;
  info?: { title?: string; version?: string };
  paths?: Record<string, Record<string, unknown>>;
  components?: Record<string, Record<string, unknown>>;
  tags?: { name: string }[];
}

/** What one service contributes. */
export interface ServiceDocument {
  service: string;
  document: OpenApiDocument;
  /** `GET /v1/users/{id}`: what the gateway serves of it; the rest of the document is not the outside's affair. */
  serves: ReadonlySet<string>;
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'patch']);
const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
};

/**
 * One OpenAPI 3.1 document of everything the gateway serves. Components of the same name and content are one; of the same
 * name and different content, the later ones are renamed after their service, and so are their references.
 */
export function mergeOpenApi(services: readonly ServiceDocument[], version: string): object {
  const paths: Record<string, Record<string, unknown>> = {};
  const components: Record<string, Record<string, unknown>> = {};
  const operationIds = new Set<string>();
  for (const { service, document, serves } of services) {
    const renamed = addComponents(components, service, document);
    const withNewNames = (part: unknown) => renameReferences(part, renamed);
    for (const [path, item] of Object.entries(document.paths ?? {})) {
      for (const [method, operation] of Object.entries(item)) {
        if (!METHODS.has(method) || !serves.has(`${method.toUpperCase()} ${path}`)) continue;
        const described = withNewNames(operation) as Record<string, unknown>;
        (paths[path] ??= {})[method] = {
          ...described,
          tags: [service],
          operationId: uniqueId(described.operationId, service, operationIds),
        };
      }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Gatehouse', version },
    servers: [{ url: '/' }],
    tags: services.map(({ service }) => ({ name: service })),
    paths,
    components: { ...components, securitySchemes: SECURITY_SCHEMES },
  };
}

/** @returns the new reference of each component that had to be renamed, by its old one */
function addComponents(
  into: Record<string, Record<string, unknown>>,
  service: string,
  document: OpenApiDocument,
): Map<string, string> {
  const renamed = new Map<string, string>();
  const sections = Object.entries(document.components ?? {}).filter(
    ([section]) => section !== 'securitySchemes',
  );
  for (const [section, members] of sections) {
    for (const [name, member] of Object.entries(members)) {
      const known = into[section]?.[name];
      if (known === undefined || JSON.stringify(known) === JSON.stringify(member)) continue;
      renamed.set(
        `#/components/${section}/${name}`,
        `#/components/${section}/${componentName(service, name)}`,
      );
    }
  }
  for (const [section, members] of sections) {
    for (const [name, member] of Object.entries(members)) {
      const isRenamed = renamed.has(`#/components/${section}/${name}`);
      const target = isRenamed ? componentName(service, name) : name;
      (into[section] ??= {})[target] = renameReferences(member, renamed);
    }
  }
  return renamed;
}

function componentName(service: string, name: string): string {
  return `${service}.${name}`;
}

function uniqueId(id: unknown, service: string, taken: Set<string>): string | undefined {
  if (typeof id !== 'string') return undefined;
  let unique = taken.has(id) ? `${service}_${id}` : id;
  while (taken.has(unique)) unique += '_';
  taken.add(unique);
  return unique;
}

function renameReferences(part: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (renamed.size === 0 || typeof part !== 'object' || part === null) return part;
  if (Array.isArray(part)) return part.map((item) => renameReferences(item, renamed));
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string'
        ? (renamed.get(value) ?? value)
        : renameReferences(value, renamed),
    ]),
  );
}
