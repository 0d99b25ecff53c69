import { resolve } from 'node:path';
import { listServices } from '@gatehouse/launcher';
import { enginesOfEnvironment, provisionPlatform } from '@gatehouse/launcher/provisioning';
import { Logger } from '@nestjs/common';
import { openContext } from './context.ts';
import { notesOnly } from '../terminal/notes.ts';

export interface ProvisionOptions {
  credentials?: string;
  directoryFile?: string;
  json?: boolean;
  rotate?: boolean;
}

/**
 * Makes roles, schemas, keys, credentials and the directory, with the superuser's connection of DATABASE_URL, and a principal
 * for each service on every engine whose address is in the environment. With `rotate` every service gets new passwords. Lines that begin with `! ` say what to know of.
 */
export async function provision({
  credentials,
  directoryFile,
  json = false,
  rotate = false,
}: ProvisionOptions): Promise<void> {
  const { workspace, folder } = openContext();
  Logger.overrideLogger(notesOnly((line) => console.log(line)));
  const services = listServices(workspace);
  const { serial, changed, newDatabase, reports } = await provisionPlatform({
    ...enginesOfEnvironment(),
    services,
    credentialsDir: credentials ? resolve(credentials) : folder.credentials(),
    directoryFile: directoryFile && resolve(directoryFile),
    rotate,
  });
  for (const { engine, notes } of reports) {
    for (const note of notes) console.log(`! ${engine}: ${note}`);
  }
  const names = services.map(({ name }) => name).join(', ');
  const engines = reports.map(({ engine }) => engine).join(', ');
  console.log(
    json
      ? JSON.stringify({ serial, changed, new_database: newDatabase })
      : `Provisioned ${names} on ${engines}; directory ${serial}${changed ? ' is new' : ' unchanged'}.`,
  );
}
