import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AdministratorFile } from '../bootstrap/administrator.ts';
import { bootstrapAdministrator } from '../bootstrap/bootstrap-administrator.ts';
import { stateFile } from '../data/platform-state.ts';
import { CommandError, openContext } from './context.ts';

export interface BootstrapOptions {
  credentials?: string;
  administratorFile?: string;
  email?: string;
  auth?: string;
  identity?: string;
  authz?: string;
}

/** Makes the first administrator, with the provisioner's key, over gRPC. */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const { folder } = openContext();
  const credentials = options.credentials ? resolve(options.credentials) : folder.credentials();
  const file = new AdministratorFile(options.administratorFile ?? folder.administrator());
  const running = stateFile(folder);
  const addressOf = (name: 'auth' | 'identity' | 'authz'): string => {
    const address = options[name] ?? running.read()?.services[name]?.grpc_address;
    if (address) return address;
    throw new CommandError(`where ${name} answers is not known: say --${name} host:port`);
  };
  const { administrator, made } = await bootstrapAdministrator({
    file,
    email: options.email ?? process.env.GATEHOUSE_ADMIN_EMAIL,
    platformPrivateKey: readFileSync(join(credentials, 'platform', 'platform-key'), 'utf8'),
    addresses: {
      auth: addressOf('auth'),
      identity: addressOf('identity'),
      authz: addressOf('authz'),
    },
  });
  console.log(
    made
      ? `Made the administrator ${administrator.email}; the password is in ${file.path}.`
      : `The administrator ${administrator.email} was made before.`,
  );
}
