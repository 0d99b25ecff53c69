// `node docker/grafana/src/write.ts` writes docker/grafana/dashboards.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardFiles } from './dashboards/index.ts';

const folder = join(import.meta.dirname, '..', 'dashboards');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const [file, text] of dashboardFiles()) writeFileSync(join(folder, file), text);
