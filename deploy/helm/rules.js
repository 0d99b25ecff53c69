/*
 * Copies the rules of docker/prometheus into the chart, which can read no file outside itself: they are written there once.
 * A test says when they differ. usage: node deploy/helm/rules.js
 */
import { copyFileSync, globSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

const from = join(import.meta.dirname, '../../docker/prometheus/rules');
const to = join(import.meta.dirname, 'gatehouse/files');

for (const old of globSync('*.rules.yml', { cwd: to })) rmSync(join(to, old));
for (const file of globSync('*.rules.yml', { cwd: from }))
  copyFileSync(join(from, file), join(to, basename(file)));
