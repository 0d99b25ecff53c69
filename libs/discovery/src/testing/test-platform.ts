import { randomUUID } from 'node:crypto';
import { signDirectory } from '../documents/directory.document.ts';
import { type ServiceInstance, signEntry } from '../documents/instance.entry.ts';
import {
  generateServiceKey,
  readPrivateKey,
  readPublicKey,
  type ServiceKeyPair,
} from '../documents/keys.ts';

/** Keys of a platform and its services, made for one test: what `provision` makes for a real one. */
export class TestPlatform {
  readonly platformKey = generateServiceKey();
  readonly trustAnchor = readPublicKey(this.platformKey.publicKey);
  private readonly keys = new Map<string, ServiceKeyPair>();

  /** The service's key pair; the same at each call. */
  keyOf(service: string): ServiceKeyPair {
    const pair = this.keys.get(service) ?? generateServiceKey();
    this.keys.set(service, pair);
    return pair;
  }

  /** A directory of these services, each with the prefix `/v1/<name>`. */
  async directory(serial: number, services: string[]): Promise<string> {
    return signDirectory(
      {
        serial,
        services: services.map((name) => ({
          name,
          prefixes: [`/v1/${name}`],
          namespace: name,
          publicKey: this.keyOf(name).publicKey,
        })),
      },
      this.platformKey.privateKey,
    );
  }

  /** An entry of `service`, signed by the key of `signedBy`. */
  async entry(
    service: string,
    instance: Partial<ServiceInstance> & { signedBy?: string } = {},
  ): Promise<string> {
    const { signedBy = service, ...fields } = instance;
    return signEntry(
      { service, instanceId: randomUUID(), version: '1.0.0', signedAt: new Date(), ...fields },
      readPrivateKey(this.keyOf(signedBy).privateKey),
    );
  }
}
