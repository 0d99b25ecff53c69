import { connect } from 'node:http2';
import type { ServiceInstance } from '@gatehouse/discovery';
import type { Finding } from '@gatehouse/kernel';
import { GATEWAY, listServices } from '@gatehouse/launcher';
import { existsSync } from 'node:fs';
import { ok, type Place, unknown } from './place.ts';

const TIMEOUT_MS = 5_000;

interface Target {
  /** `auth`, `auth-2`; of an instance elsewhere `auth (0199...)`. */
  name: string;
  httpUrl?: string | undefined;
  grpcAddress?: string | undefined;
  adminUrl?: string | undefined;
  registered: boolean;
}

/**
 * Whether each instance answers where the registry says it does (HTTP, gRPC and the admin listener), and whether the outside
 * reaches the keys that verify tokens through the gateway.
 */
export async function examineReachability(
  place: Place,
  instances: readonly ServiceInstance[],
): Promise<Finding[]> {
  const targets = targetsOf(place, instances);
  if (targets.length === 0) {
    return [unknown('reachability: nothing runs, neither here nor by the registry')];
  }
  const running = new Set(targets.map(({ name }) => name.replace(/(-\d+| \(.*)$/, '')));
  const absent = listServices(place.workspace)
    .filter(({ name }) => !running.has(name) && existsSync(place.folder.credentials(name)))
    .map(({ name }): Finding => ({
      state: 'problem',
      what: `no instance of ${name} is there`,
      mend: 'start it; where it was started, its log says why it ended',
    }));
  const found = await Promise.all(targets.map(examineTarget));
  return [...found.flat(), ...absent, ...(await publicKeys(place, instances))];
}

function targetsOf({ state }: Place, instances: readonly ServiceInstance[]): Target[] {
  const here = Object.entries(state?.services ?? {});
  const named = new Map(here.map(([name, { admin_url }]) => [admin_url, name]));
  const registered = instances.map(
    ({ service, instanceId, httpUrl, grpcAddress, adminUrl }): Target => ({
      name: named.get(adminUrl) ?? `${service} (${instanceId})`,
      httpUrl,
      grpcAddress,
      adminUrl,
      registered: true,
    }),
  );
  const known = new Set(registered.map(({ name }) => name));
  const unregistered = here
    .filter(([name]) => !known.has(name))
    .map(([name, { admin_url: adminUrl }]): Target => ({ name, adminUrl, registered: false }));
  return [...registered, ...unregistered].sort((a, b) => a.name.localeCompare(b.name));
}

async function examineTarget(target: Target): Promise<Finding[]> {
  const { name, httpUrl, grpcAddress, adminUrl, registered } = target;
  const mend = `see its log (logs/${name}.log in the data folder, where it runs on this machine)`;
  if (!registered && adminUrl === undefined) {
    return [{ state: 'problem', what: `${name} does not run`, mend }];
  }
  const far = adminUrl !== undefined && isLoopback(adminUrl) && !isLoopback(httpUrl ?? adminUrl);
  const [http, grpc, readiness] = await Promise.all([
    httpUrl === undefined || answersHttp(httpUrl),
    grpcAddress === undefined || answersGrpc(grpcAddress),
    adminUrl === undefined || far ? undefined : ready(adminUrl),
  ]);
  const silent = [
    ...(http ? [] : [`HTTP ${httpUrl ?? ''}`]),
    ...(grpc ? [] : [`gRPC ${grpcAddress ?? ''}`]),
    ...(readiness === 'silent' ? [`admin ${adminUrl ?? ''}`] : []),
  ];
  if (silent.length > 0) {
    const what = `${name} does not answer at ${silent.join(', ')}`;
    const how = `${mend}; if it runs, the network between this machine and that one is closed`;
    return [{ state: 'problem', what, mend: how }];
  }
  if (Array.isArray(readiness)) {
    return [{ state: 'problem', what: `${name} is not ready: ${readiness.join(', ')}`, mend }];
  }
  if (!registered) {
    const what = `${name} runs, and is not in the registry: nobody finds it`;
    return [{ state: 'problem', what, mend }];
  }
  if (readiness === undefined) {
    return [ok(`${name} answers; its admin listener is for its own machine alone`)];
  }
  return [ok(`${name} is ready, and answers at each of its addresses`)];
}

async function answersHttp(url: string): Promise<boolean> {
  return (await ask(url)) !== undefined;
}

/** gRPC's transport is HTTP/2: the server's first frame says that it is one. */
async function answersGrpc(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const end = (answers: boolean) => {
      clearTimeout(timer);
      session.destroy();
      resolve(answers);
    };
    const timer = setTimeout(() => end(false), TIMEOUT_MS);
    session.once('remoteSettings', () => end(true));
    session.on('error', () => end(false));
  });
}

/** @returns what fails, where it answers and is not ready */
async function ready(adminUrl: string): Promise<'ready' | 'silent' | string[]> {
  const answer = await ask(`${adminUrl}/health/ready`);
  if (answer === undefined) return 'silent';
  if (answer.ok) return 'ready';
  const body = (await answer.json().catch(() => ({}))) as { error?: object };
  return Object.keys(body.error ?? { 'no report': 1 });
}

async function ask(url: string): Promise<Response | undefined> {
  return fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'manual' }).catch(
    () => undefined,
  );
}

/** Through every gateway, and by the address that tokens name as their issuer, which is what clients use. */
async function publicKeys(
  { state }: Place,
  instances: readonly ServiceInstance[],
): Promise<Finding[]> {
  const gateways = instances.flatMap(({ service, httpUrl }) =>
    service === GATEWAY && httpUrl !== undefined ? [httpUrl] : [],
  );
  const issuer = process.env.AUTH_ISSUER;
  const own = [...new Set([...gateways, ...(state?.gateway_url ? [state.gateway_url] : [])])];
  const of = (url: string, state: 'problem' | 'warning') => async (): Promise<Finding> => {
    const at = `${url.replace(/\/$/, '')}/.well-known/jwks.json`;
    const answer = await ask(at);
    const body = answer?.ok
      ? ((await answer.json().catch(() => ({}))) as { keys?: unknown[] })
      : {};
    if (body.keys?.length) return ok(`the keys that verify tokens are at ${at}`);
    const why = answer === undefined ? 'nothing answers' : `it answers ${answer.status}`;
    return {
      state,
      what: `the keys that verify tokens are not at ${at}: ${why}`,
      mend:
        state === 'problem'
          ? 'see whether the gateway has routes of auth (/routes of its admin listener)'
          : 'AUTH_ISSUER is what clients are told: it must lead to the gateway; well where it does so only from outside',
    };
  };
  const looks = own.map((url) => of(url, 'problem'));
  if (issuer && !own.includes(issuer.replace(/\/$/, ''))) looks.push(of(issuer, 'warning'));
  return Promise.all(looks.map((look) => look()));
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
