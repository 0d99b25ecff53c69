import type { KeyObject } from 'node:crypto';
import { Directory } from './directory.ts';
import type { DirectoryService } from './documents/directory.document.ts';
import {
  EntryRefused,
  type RefusalReason,
  type ServiceInstance,
} from './documents/instance.entry.ts';
import { readPublicKey } from './documents/keys.ts';
import { EntryVerifier } from './entry.verifier.ts';
import type { RegistryStore } from './registry.store.ts';

/** What is in a registry at one moment, as a process of the platform would judge it. */
export interface RegistryExamination {
  /** `untrusted`: a directory is there, and is not signed by the platform's key. */
  directory: 'trusted' | 'untrusted' | 'missing';
  /** 0 unless it is trusted. */
  serial: number;
  services: DirectoryService[];
  instances: ServiceInstance[];
  refused: { service: string; instanceId: string; reason: RefusalReason; why: string }[];
}

/**
 * Reads directory and entries once, and changes nothing. Closes the store.
 * @param trustAnchor the platform's public key
 */
export async function examineRegistry(
  store: RegistryStore,
  trustAnchor: string | KeyObject,
): Promise<RegistryExamination> {
  try {
    const directory = new Directory(readPublicKey(trustAnchor));
    const document = await store.readDirectory();
    const verdict = document === undefined ? undefined : await directory.accept(document);
    const state =
      document === undefined ? 'missing' : verdict === 'accepted' ? 'trusted' : 'untrusted';
    const found: RegistryExamination = {
      directory: state,
      serial: directory.serial,
      services: directory.services(),
      instances: [],
      refused: [],
    };
    if (state !== 'trusted') return found;
    const verifier = new EntryVerifier(directory);
    for (const row of await store.list()) {
      const { service, instanceId } = row;
      try {
        found.instances.push(await verifier.verify(row));
      } catch (error) {
        if (!(error instanceof EntryRefused)) throw error;
        found.refused.push({ service, instanceId, reason: error.reason, why: error.message });
      }
    }
    return found;
  } finally {
    await store.close();
  }
}
