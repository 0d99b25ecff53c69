import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '@gatehouse/kernel';
import {
  consulOptionsOf,
  ConsulRegistryStore,
  examineRegistry,
  PostgresRegistryStore,
  publicKeyOf,
  type RegistryExamination,
  type RegistryStore,
  type ServiceInstance,
} from '@gatehouse/discovery';
import type { enginesOfEnvironment } from '../provision.config.ts';

export interface DirectoryFindings {
  findings: Finding[];
  /** Those that the registry lists and a process of the platform believes. */
  instances: ServiceInstance[];
}

/**
 * The platform's key, the services' keys, and the directory that vouches for them: whether they belong together. And who the
 * registry says is there.
 * @param services of the workspace
 */
export async function examineDirectory(
  { adminUrl, tlsCa, consul }: ReturnType<typeof enginesOfEnvironment>,
  credentialsDir: string,
  services: readonly string[],
): Promise<DirectoryFindings> {
  const anchor = await fileIn(credentialsDir, 'platform', 'trust-anchor');
  if (anchor === undefined) {
    const what = `keys: nothing is provisioned in ${credentialsDir} yet`;
    return { findings: [{ state: 'unknown', what }], instances: [] };
  }
  const store: RegistryStore = consul
    ? new ConsulRegistryStore(consulOptionsOf(consul))
    : new PostgresRegistryStore({ url: adminUrl, tlsCa });
  const found = await examineRegistry(store, anchor);
  const findings = [
    ...(await platformKey(credentialsDir, anchor)),
    ...(found.directory === 'trusted'
      ? await serviceKeys(credentialsDir, anchor, services, found)
      : [untrusted(found.directory)]),
    ...found.refused.map(({ service, instanceId, why }): Finding => ({
      state: 'problem',
      what: `instance ${instanceId} of ${service} is in the registry and not believed: ${why}`,
      mend: 'restart it, if it is yours: it reads its key at the start; else see who may write to the registry (docs/operations.md, GatehouseEntriesRefused)',
    })),
  ];
  const [ok] = findings.filter(({ state }) => state === 'problem' || state === 'warning');
  if (ok === undefined) {
    const what = `the keys of ${services.length} services are those of directory ${found.serial}`;
    findings.push({ state: 'ok', what });
  }
  return { findings, instances: found.instances };
}

async function platformKey(credentialsDir: string, anchor: string): Promise<Finding[]> {
  const key = await fileIn(credentialsDir, 'platform', 'platform-key');
  if (key !== undefined && same(key, anchor)) return [];
  return [
    {
      state: 'problem',
      what:
        key === undefined
          ? 'the platform’s private key (platform/platform-key) is gone'
          : 'platform/platform-key is not the key of platform/trust-anchor',
      mend: 'put it back from the backup of the credentials (docs/backup.md); the next provisioning makes a new one otherwise, which every process must be restarted for',
    },
  ];
}

async function serviceKeys(
  credentialsDir: string,
  anchor: string,
  services: readonly string[],
  found: RegistryExamination,
): Promise<Finding[]> {
  const listed = new Map(found.services.map((service) => [service.name, service]));
  const findings: Finding[] = [];
  for (const name of services) {
    const service = listed.get(name);
    const key = await fileIn(credentialsDir, name, 'service-key');
    const mend = '`gatehouse provision` (`npm start` does), then restart it';
    const trusts = await fileIn(credentialsDir, name, 'trust-anchor');
    if (service === undefined) {
      const what = `${name} is not in the directory`;
      findings.push({ state: 'warning', what, mend });
    } else if (key === undefined) {
      const what = `${name} has no key of its own (${name}/service-key)`;
      findings.push({ state: 'problem', what, mend });
    } else if (!same(key, service.publicKey.export({ type: 'spki', format: 'pem' }).toString())) {
      const what = `the directory lists another key of ${name} than ${name}/service-key: nobody believes it`;
      findings.push({ state: 'problem', what, mend });
    }
    if (service !== undefined && trusts?.trim() !== anchor.trim()) {
      const what = `${name} trusts another platform (${name}/trust-anchor): it believes nobody`;
      findings.push({ state: 'problem', what, mend });
    }
  }
  return findings;
}

function untrusted(directory: 'untrusted' | 'missing'): Finding {
  return {
    state: 'problem',
    what:
      directory === 'missing'
        ? 'there is no directory: no process believes another'
        : 'the directory is not signed by the platform’s key: no process believes another',
    mend: '`gatehouse provision` with this platform’s credentials writes it again',
  };
}

function same(privateKey: string, publicKey: string): boolean {
  try {
    return publicKeyOf(privateKey).trim() === publicKey.trim();
  } catch {
    return false; // damaged
  }
}

async function fileIn(dir: string, owner: string, name: string): Promise<string | undefined> {
  return readFile(join(dir, owner, name), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
}
