import type { ServiceVersion } from '../routing/service-version.ts';
import type { ServedService } from '../routing/route-table.ts';
import { mergeOpenApi } from './merge-openapi.ts';
import type { OpenApiDocument, ServiceDocument } from './merge-openapi.ts';

export interface OpenApiOptions {
  /** What the gateway serves itself. */
  own: () => Promise<ServiceDocument>;
  services: () => readonly ServedService[];
  /** Reads one instance's document. */
  fetch: (instance: { service: string; httpUrl: string }) => Promise<unknown>;
  version: string;
  onFailure: (service: string, error: unknown) => void;
}

/**
 * The merged OpenAPI document, put together when somebody asks. Each service's part is read once a manifest digest;
 * a service that cannot be read now is left out, and asked again next time.
 */
export class OpenApiDocuments {
  private readonly parts = new Map<string, Promise<OpenApiDocument>>();

  constructor(private readonly options: OpenApiOptions) {}

  async merged(): Promise<object> {
    const versions = this.options
      .services()
      .map(({ versions: all }) => newest(all))
      .filter((version) => version !== undefined);
    this.forgetOthers(versions);
    const parts = await Promise.all([
      ...versions.map((version) => this.partOf(version)),
      this.options.own(),
    ]);
    return mergeOpenApi(
      parts.filter((part) => part !== undefined),
      this.options.version,
    );
  }

  private async partOf(version: ServiceVersion): Promise<ServiceDocument | undefined> {
    const { service, digest, instances, routes } = version;
    const instance = instances[0];
    let part = this.parts.get(digest);
    try {
      if (part === undefined) {
        if (instance === undefined) return undefined;
        const read = this.options.fetch({ service, httpUrl: instance.url });
        part = read.then((document) => document as OpenApiDocument);
        this.parts.set(digest, part);
      }
      const serves = new Set(routes.map(({ declaration: d }) => `${d.method} ${d.path}`));
      return { service, document: await part, serves };
    } catch (error) {
      this.parts.delete(digest);
      this.options.onFailure(service, error);
      return undefined;
    }
  }

  private forgetOthers(versions: readonly ServiceVersion[]): void {
    const digests = new Set(versions.map(({ digest }) => digest));
    for (const digest of this.parts.keys()) if (!digests.has(digest)) this.parts.delete(digest);
  }
}

/** While two versions run side by side, the one that most instances have. */
function newest(versions: readonly ServiceVersion[]): ServiceVersion | undefined {
  return versions.reduce<ServiceVersion | undefined>(
    (best, version) =>
      best === undefined || version.instances.length >= best.instances.length ? version : best,
    undefined,
  );
}
