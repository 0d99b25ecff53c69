import { createGrpcClient, type GrpcClient } from '@gatehouse/clients';
import { authV1 } from '@gatehouse/contracts-auth';
import { authzV1 } from '@gatehouse/contracts-authz';
import { identityV1 } from '@gatehouse/contracts-identity';
import type { GrpcContract } from '@gatehouse/contracts-platform';
import { issueProvisionerToken } from '@gatehouse/discovery';
import { newId } from '@gatehouse/kernel';
import { type Administrator, type AdministratorFile } from './administrator.ts';

export interface BootstrapOptions {
  file: AdministratorFile;
  /** Used where nothing is stored yet. */
  email?: string | undefined;
  platformPrivateKey: string;
  /** gRPC, `host:port`. */
  addresses: { auth: string; identity: string; authz: string };
}

const DEADLINE_MS = 20_000;

/**
 * Makes the first administrator: user, password, role. Each step is idempotent by the user id that was stored before the
 * first; so whatever cuts it off, the next run finishes it, and an account that somebody else made is never adopted.
 * @returns the administrator, and whether it was made now
 * @throws where the address belongs to another user (EMAIL_TAKEN), or another user holds the role
 */
export async function bootstrapAdministrator(
  options: BootstrapOptions,
): Promise<{ administrator: Administrator; made: boolean }> {
  const { file, addresses } = options;
  const administrator = file.decide(newId, options.email);
  if (administrator.completed_at) return { administrator, made: false };
  const { user_id: userId, email, password } = administrator;
  const call = { deadlineMs: DEADLINE_MS };
  const open: { close(): void }[] = [];
  const connect = <C extends GrpcContract>(contract: C, address: string): GrpcClient<C> => {
    const client = createGrpcClient(contract, {
      address,
      metadata: async () => ({
        'gatehouse-via': await issueProvisionerToken(options.platformPrivateKey, contract.service),
      }),
    });
    open.push(client);
    return client;
  };
  try {
    const identity = connect(identityV1, addresses.identity);
    const auth = connect(authV1, addresses.auth);
    const authz = connect(authzV1, addresses.authz);
    await identity.createUser({ userId, email, displayName: 'Administrator' }, call);
    await auth.createCredential({ userId, password }, call);
    await authz.bootstrapAdministrator({ userId }, call);
  } finally {
    for (const client of open) client.close();
  }
  file.complete(administrator);
  return { administrator, made: true };
}
