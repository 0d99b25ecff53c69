import { CLOCK_TOLERANCE_SECONDS, type ServiceInstance } from '@gatehouse/discovery';
import {
  configuredCertificates,
  certificateFindings,
  type Finding,
  runInScope,
} from '@gatehouse/kernel';
import { listServices, variableOf } from '@gatehouse/launcher';
import {
  enginesOfEnvironment,
  examineBrokers,
  examineCertificates,
  examineClocks,
  examineDirectory,
  examineEngines,
  examinePlatformSchema,
} from '@gatehouse/launcher/provisioning';
import type { Place } from './place.ts';

/** What all services share, looked at with an administrator's credentials. */
export interface Shared {
  engines: Finding[];
  clocks: Finding[];
  schema: Finding[];
  keys: Finding[];
  /** Whom the registry lists; undefined where it could not be read. */
  instances?: ServiceInstance[];
}

/**
 * Loaded when it is asked for, because it brings every engine's client with it.
 * @param adminUrl of the embedded PostgreSQL, in the place of the environment's
 * @throws ConfigError where the environment is wrong
 */
export async function examineShared(place: Place, adminUrl?: string): Promise<Shared> {
  const noTls = { DATABASE_TLS_CA: undefined, DATABASE_TLS_CA_FILE: undefined };
  const env = { ...process.env, ...(adminUrl && { ...noTls, DATABASE_URL: adminUrl }) };
  return runInScope({ env, packageDir: place.workspace }, () => lookAt(place));
}

async function lookAt({ workspace, folder }: Place): Promise<Shared> {
  const configured = enginesOfEnvironment();
  const found = await examineEngines();
  const usable = (name: string) =>
    found.every(({ what, problem }) => problem === undefined || !what.startsWith(name));
  const engines = [
    ...found.map(({ what, problem }): Finding =>
      problem === undefined
        ? { state: 'ok', what: `${what} can be used` }
        : { state: 'problem', what: problem, mend: 'set that variable, or start that engine' },
    ),
    ...(usable('Kafka') ? await examineBrokers(configured) : []),
    ...certificateFindings(configuredCertificates(), Date.now()),
    ...(await examineCertificates(configured)),
  ];
  const clocks = await examineClocks(configured, toleranceMs());
  const cannot = (what: string, engine: string): Finding[] => [
    { state: 'unknown', what: `${what} could not be looked at: ${engine} cannot be used` },
  ];
  const schema = usable('PostgreSQL')
    ? await examinePlatformSchema(configured).catch((error: unknown): Finding[] => [
        {
          state: 'problem',
          what: `schema platform could not be looked at: ${(error as Error).message}`,
        },
      ])
    : cannot('schema platform', 'PostgreSQL');
  const registry = configured.consul ? 'Consul' : 'PostgreSQL';
  if (!usable(registry)) {
    return { engines, clocks, schema, keys: cannot('directory and registry', registry) };
  }
  const names = listServices(workspace).map(({ name }) => name);
  try {
    const { findings, instances } = await examineDirectory(configured, folder.credentials(), names);
    return { engines, clocks, schema, keys: findings, instances };
  } catch (error) {
    const what = `directory and registry could not be looked at: ${(error as Error).message}`;
    return { engines, clocks, schema, keys: [{ state: 'problem', what }] };
  }
}

/** The least of what calls between services and access tokens allow. */
function toleranceMs(): number {
  const ofTokens = Number(variableOf(process.env, 'TOKEN_CLOCK_SKEW_SECONDS') ?? NaN);
  const seconds = Number.isFinite(ofTokens)
    ? Math.min(ofTokens, CLOCK_TOLERANCE_SECONDS)
    : CLOCK_TOLERANCE_SECONDS;
  return seconds * 1000;
}
