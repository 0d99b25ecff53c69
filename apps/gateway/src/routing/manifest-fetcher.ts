import { Manifest, manifestDigest } from '@gatehouse/contracts-platform';
import type { ServiceInstance, ViaTokens } from '@gatehouse/discovery';
import { request } from 'undici';

const PATH = '/.well-known/gatehouse/manifest';
const MAX_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 2_000;

/** Reads what instances say of themselves, with the gateway's own `Gatehouse-Via`. */
export class ManifestFetcher {
  constructor(private readonly via: Pick<ViaTokens, 'issue'>) {}

  /**
   * The manifest of an instance: exactly the bytes whose digest the instance signed.
   *
   * @throws where it cannot be had, has another digest, is no manifest, or is that of another service
   */
  async manifest(instance: ServiceInstance): Promise<Manifest> {
    const bytes = await this.read(instance, PATH);
    const digest = manifestDigest(bytes);
    if (digest !== instance.manifestDigest) {
      throw new Error(`the manifest has digest ${digest}, not the one that was signed`);
    }
    const manifest = Manifest.parse(JSON.parse(bytes.toString('utf8')));
    if (manifest.service !== instance.service) {
      throw new Error(`the manifest is that of ${manifest.service}`);
    }
    return manifest;
  }

  /** The instance's own OpenAPI document. @throws where it cannot be had */
  async openApi(
    instance: ServiceInstance | { service: string; httpUrl: string },
  ): Promise<unknown> {
    const bytes = await this.read(instance, '/.well-known/gatehouse/openapi.json');
    return JSON.parse(bytes.toString('utf8')) as unknown;
  }

  private async read(
    instance: { service: string; httpUrl?: string },
    path: string,
  ): Promise<Buffer> {
    if (instance.httpUrl === undefined) throw new Error('the instance has no HTTP address');
    const { statusCode, body } = await request(`${instance.httpUrl}${path}`, {
      headers: { 'gatehouse-via': await this.via.issue(instance.service) },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes`);
      chunks.push(chunk);
    }
    if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}`);
    return Buffer.concat(chunks);
  }
}
