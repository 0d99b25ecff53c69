import { describeWithEngines, ENGINES_START_MS, installEngines } from '@gatehouse/testing';
import { SCALE } from './platform-engines.ts';
import { startPlatform, type StartPlatformOptions, type TestPlatform } from './test-platform.ts';

/** `startPlatform` on the engines of a profile. */
export type StartOnProfile = (
  options?: Omit<StartPlatformOptions, 'engines'>,
) => Promise<TestPlatform>;

interface JestGlobals {
  describe: (name: string, block: () => void) => void;
  beforeAll: (hook: () => Promise<void>, timeoutMs: number) => void;
}

/**
 * What must hold wherever the platform runs: the block is run with the `startPlatform` of each profile in turn. Where
 * engines cannot be started, that of the scale profile is skipped as `describeWithEngines` does.
 */
export function describePlatforms(block: (start: StartOnProfile) => void): void {
  const { describe, beforeAll } = globalThis as unknown as JestGlobals;
  describe('on the embedded profile', () => block(startPlatform));
  describeWithEngines(SCALE, () => {
    beforeAll(() => installEngines(SCALE), ENGINES_START_MS);
    block((options) => startPlatform({ ...options, engines: 'scale' }));
  });
}
