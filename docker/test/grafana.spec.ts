import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { dashboardFiles } from '../grafana/src/dashboards/index.ts';
import { GRAFANA, panelQueries, panelsOf, readDashboards } from './support/dashboards.ts';
import { metricsOf } from './support/promql.ts';
import { readRules } from './support/rules.ts';

const dashboards = readDashboards();
const provisioning = (file: string): unknown =>
  parse(readFileSync(join(GRAFANA, 'provisioning', file), 'utf8')) as unknown;

/** Of Grafana's documentation, "Provision Grafana": what it reads of each, and nothing else. */
const datasources = z.strictObject({
  apiVersion: z.literal(1),
  datasources: z.array(
    z.strictObject({
      name: z.string(),
      uid: z.string().max(40),
      type: z.enum(['prometheus', 'grafana-opensearch-datasource']),
      access: z.literal('proxy'),
      url: z.string().regex(/^\$[A-Z_]+$/),
      isDefault: z.boolean().optional(),
      editable: z.literal(false),
      jsonData: z.record(z.string(), z.unknown()),
    }),
  ),
});
const providers = z.strictObject({
  apiVersion: z.literal(1),
  providers: z
    .array(
      z.strictObject({
        name: z.string(),
        folder: z.string(),
        type: z.literal('file'),
        disableDeletion: z.boolean(),
        allowUiUpdates: z.boolean(),
        updateIntervalSeconds: z.int().min(10),
        options: z.strictObject({
          path: z.string(),
          foldersFromFilesStructure: z.boolean(),
        }),
      }),
    )
    .length(1),
});

describe('docker/grafana/dashboards', () => {
  it('is what docker/grafana/src makes; `node docker/grafana/src/write.ts` writes it', () => {
    const folder = join(GRAFANA, 'dashboards');
    const files = globSync('*', { cwd: folder }).map((file): [string, string] => [
      file,
      readFileSync(join(folder, file), 'utf8'),
    ]);
    expect(new Map(files.sort())).toEqual(new Map([...dashboardFiles()].sort()));
  });

  it('has one dashboard a file, each with an address of its own', () => {
    expect([...dashboards].map(([, { uid }]) => `${uid}.json`)).toEqual([...dashboards.keys()]);
    expect(new Set([...dashboards.values()].map(({ title }) => title)).size).toBe(dashboards.size);
  });

  it('asks in PromQL', () => {
    const queries = panelQueries('identity', '1m');
    expect(queries.length).toBeGreaterThan(60);
    for (const { expr } of queries) expect(metricsOf(expr)).not.toEqual([]);
  });

  it('uses a variable only where the dashboard has it', () => {
    for (const { templating, panels } of dashboards.values()) {
      const names = templating.list.map(({ name }) => name);
      const used = [...JSON.stringify(panels).matchAll(/\$\{?(?!__)(\w+)/g)];
      for (const [, name] of used) expect(names).toContain(name);
    }
  });
});

describe.each([...dashboards])('%s', (_file, board) => {
  it('has panels of different ids and titles, which do not lie over each other', () => {
    const { panels } = board;
    const differ = (values: unknown[]) => expect(new Set(values).size).toBe(values.length);
    differ(panels.map(({ id }) => id));
    differ(panels.map(({ title }) => title));
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`);
    });
    differ(cells);
  });

  it('leads from a panel to what to do', () => {
    const alerts = new Set(readRules().alerts.map(({ alert }) => alert.toLowerCase()));
    const links = panelsOf(board).flatMap((each) => each.links);
    expect(links).not.toEqual([]);
    for (const { url } of links) {
      const [, anchor = ''] = /^\$\{runbooks\}#(\w+)$/.exec(url) ?? [];
      expect(alerts).toContain(anchor);
    }
  });

  it('leads to all the others', () => {
    const tags = board.links.flatMap((link) => link.tags);
    expect(tags).not.toEqual([]);
    for (const other of dashboards.values())
      expect(other.tags).toEqual(expect.arrayContaining(tags));
  });
});

describe('docker/grafana/provisioning', () => {
  it('holds data sources as Grafana reads them, of which one is the default', () => {
    const file = datasources.parse(provisioning('datasources/gatehouse.yaml'));
    expect(file.datasources.filter(({ isDefault }) => isDefault)).toHaveLength(1);
    const uids = file.datasources.map(({ uid }) => uid);
    const named = [...JSON.stringify(file).matchAll(/"datasourceUid":"([^"]+)"/g)];
    for (const [, uid] of named) expect(uids).toContain(uid);
  });

  it('takes dashboards from where the Compose file mounts them, and tells data sources what it asks for', () => {
    const [provider] = providers.parse(provisioning('dashboards/gatehouse.yaml')).providers;
    const compose = parse(readFileSync(join(GRAFANA, '..', 'compose.yaml'), 'utf8'), {
      merge: true,
      maxAliasCount: -1,
    }) as { services: { grafana: { volumes: unknown[]; environment: Record<string, string> } } };
    const { volumes, environment } = compose.services.grafana;
    expect(volumes).toContain(`./grafana/dashboards:${provider?.options.path ?? ''}:ro`);
    expect(volumes).toContain('./grafana/provisioning:/etc/grafana/provisioning:ro');
    const { datasources: sources } = datasources.parse(provisioning('datasources/gatehouse.yaml'));
    for (const { url } of sources) expect(environment).toHaveProperty(url.slice(1));
  });
});
