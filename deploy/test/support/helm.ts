import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './manifests.ts';

const run = promisify(execFile);

export const CHART = join(import.meta.dirname, '..', '..', 'helm', 'gatehouse');
/** The oldest that the chart is for, and one of today. */
export const KUBERNETES = ['1.27.0', '1.34.0'];

/** @throws with what Helm says */
export async function lint(values: string): Promise<string> {
  const args = ['lint', CHART, '--strict', '--values', join(CHART, values)];
  const { stdout } = await run('helm', [...args, '--kube-version', KUBERNETES[1] ?? '']);
  return stdout;
}

/** The manifests of a release `shop` in namespace `shop`. @throws with what Helm says */
export async function render(
  values: string,
  { set = [], kubernetes = KUBERNETES[1] ?? '' }: { set?: string[]; kubernetes?: string } = {},
): Promise<Manifest[]> {
  const args = ['template', 'shop', CHART, '--namespace', 'shop', '--kube-version', kubernetes];
  const files = values === '' ? [] : ['--values', join(CHART, values)];
  const sets = set.flatMap((each) => ['--set', each]);
  const { stdout } = await run('helm', [...args, ...files, ...sets], {
    maxBuffer: 64 * 1024 ** 2,
  });
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}
