import { findWorkspace } from '@gatehouse/launcher';
import { z } from 'zod';
import { DataFolder, type Profile } from '../data/data-folder.ts';

/** What a command was asked to do cannot be done, for a reason that a person can act on: printed without a stack. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

export function openContext(profile?: Profile): { workspace: string; folder: DataFolder } {
  const workspace = findWorkspace(process.env.GATEHOUSE_WORKSPACE ?? import.meta.dirname);
  return { workspace, folder: new DataFolder(workspace, profile) };
}

/** @throws CommandError naming the option */
export function countOf(value: string | undefined, option: string, most: number): number {
  const parsed = z.coerce
    .number()
    .int()
    .min(1)
    .max(most)
    .safeParse(value ?? 1);
  if (!parsed.success) throw new CommandError(`${option} must be 1 to ${most}`);
  return parsed.data;
}

const Port = z.coerce.number().int().min(1).max(65_535);

/** @throws CommandError naming the option or variable */
export function portOf(value: string | undefined, variable: string, fallback: number): number {
  const raw = value ?? process.env[variable];
  if (raw === undefined || raw === '') return fallback;
  const parsed = Port.safeParse(raw);
  if (!parsed.success) {
    throw new CommandError(
      `${variable} is not a port: it must be 1 to 65535 (for example ${variable}=${fallback})`,
    );
  }
  return parsed.data;
}
