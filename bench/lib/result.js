import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import process from 'node:process';

/** Writes what a benchmark measured to `bench/results/<benchmark>.json`, with the machine and the settings it ran on. */
export function record(benchmark, settings, result) {
  const folder = new URL('../results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const about = {
    benchmark,
    at: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    settings,
  };
  const text = JSON.stringify({ ...about, ...result }, null, 2);
  writeFileSync(new URL(`${benchmark}.json`, folder), `${text}\n`);
}

/** To three places. */
export function rounded(value) {
  return Math.round(value * 1000) / 1000;
}
