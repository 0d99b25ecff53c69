import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf, runBlocks, type RunBlocksOptions } from '@gatehouse/testing';

export const WORKSPACE = join(import.meta.dirname, '..', '..', '..', '..');
export const README = readFileSync(join(WORKSPACE, 'README.md'), 'utf8');

export const blocks = blocksOf(README);

/** @param options env: GATEWAY and GATEHOUSE_DATA_DIR, and what else its commands should find */
export const runTour = (options: Omit<RunBlocksOptions, 'cwd'>): Promise<string[]> =>
  runBlocks(blocks, { cwd: WORKSPACE, ...options });
