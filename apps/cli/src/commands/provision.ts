import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { listServices } from '@gatehouse/launcher';
import { provisionPlatform } from '@gatehouse/launcher/provisioning';
import { CommandError, openContext } from './context.ts';

export interface ProvisionOptions {
  credentials?: string;
}

/** Makes roles, schemas, keys, credentials and the directory, with the superuser's connection of DATABASE_URL. */
export async function provision({ credentials }: ProvisionOptions): Promise<void> {
  const { workspace, folder } = openContext();
  const adminUrl = databaseUrl();
  if (!adminUrl) {
    throw new CommandError(
      'DATABASE_URL (or DATABASE_URL_FILE) is required and not set: a superuser’s connection (for example DATABASE_URL=postgres://postgres:...@127.0.0.1:5432/gatehouse)',
    );
  }
  const services = listServices(workspace);
  const { serial, changed } = await provisionPlatform({
    adminUrl,
    services,
    credentialsDir: credentials ? resolve(credentials) : folder.credentials(),
  });
  const names = services.map(({ name }) => name).join(', ');
  console.log(`Provisioned ${names}; directory ${serial}${changed ? ' is new' : ' unchanged'}.`);
}

/** DATABASE_URL, or the content of the file that DATABASE_URL_FILE names. */
function databaseUrl(): string | undefined {
  const { DATABASE_URL: url, DATABASE_URL_FILE: file } = process.env;
  return url ?? (file ? readFileSync(file, 'utf8').trim() : undefined);
}
