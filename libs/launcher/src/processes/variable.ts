import { readFileSync } from 'node:fs';

/**
 * `NAME` of an environment, else the content of the file that `NAME_FILE` names: as services read theirs.
 * @throws where that file cannot be read
 */
export function variableOf(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name];
  if (value) return value;
  const file = env[`${name}_FILE`];
  return file ? readFileSync(file, 'utf8').trim() : undefined;
}
