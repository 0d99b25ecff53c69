import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const GRAFANA = join(import.meta.dirname, '..', '..', 'grafana');

/*
 * What Grafana 11 and 12 require of a dashboard (its classic JSON model), as far as these use it: there is no such schema in
 * npm, and the generated one of Grafana's kinds marks nearly everything optional. Unknown kinds of panels and variables are
 * refused, so that a new one is thought about.
 */
const text = z.string().min(1);
const datasource = z.strictObject({
  type: z.literal('prometheus'),
  uid: z.literal('${datasource}'),
});
const gridPos = z.object({
  x: z.int().min(0).max(23),
  y: z.int().min(0),
  w: z.int().min(1).max(24),
  h: z.int().min(1),
});
const target = z.object({
  refId: z.string().regex(/^[A-Z]$/),
  expr: text,
  range: z.boolean().optional(),
  instant: z.boolean().optional(),
  legendFormat: text.optional(),
});
const panel = z.object({
  id: z.int().positive(),
  type: z.enum(['timeseries', 'stat', 'table']),
  title: text,
  description: text,
  gridPos,
  datasource,
  fieldConfig: z.object({ defaults: z.object({ unit: text }) }),
  options: z.object({}),
  links: z.array(z.object({ type: z.literal('link'), title: text, url: text })),
  targets: z.array(target).min(1),
});
const row = z.object({
  id: z.int().positive(),
  type: z.literal('row'),
  title: text,
  gridPos,
  collapsed: z.literal(false),
  panels: z.array(z.never()),
});
const variable = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('datasource'),
    name: z.literal('datasource'),
    query: z.literal('prometheus'),
  }),
  z.object({
    type: z.literal('query'),
    name: z.literal('service'),
    datasource,
    query: z.object({ query: text, refId: text }),
    refresh: z.literal(2),
    multi: z.boolean(),
    includeAll: z.boolean(),
    allValue: text.optional(),
  }),
  z.object({ type: z.literal('textbox'), name: z.literal('runbooks'), query: text }),
]);
const dashboard = z.object({
  uid: z.string().regex(/^[a-z-]{1,40}$/),
  title: text,
  description: text,
  tags: z.array(text),
  schemaVersion: z.int().min(39),
  time: z.object({ from: text, to: text }),
  templating: z.object({ list: z.array(variable) }),
  links: z.array(
    z.object({ type: z.literal('dashboards'), tags: z.array(text), keepTime: z.literal(true) }),
  ),
  panels: z.array(z.union([panel, row])),
});

export type Dashboard = z.infer<typeof dashboard>;

/** By file. @throws where one is not what Grafana takes */
export function readDashboards(): Map<string, Dashboard> {
  const folder = join(GRAFANA, 'dashboards');
  return new Map(
    globSync('*.json', { cwd: folder }).map((file) => [
      file,
      dashboard.parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))),
    ]),
  );
}

export interface PanelQuery {
  /** `gatehouse-events.json, "Consumer lag", A`. */
  name: string;
  expr: string;
}

export function panelsOf({ panels }: Dashboard) {
  return panels.filter((each) => each.type !== 'row');
}

/**
 * Every query of every panel, as Grafana sends it: with a range for `$__rate_interval`, and `service` for `$service` where a
 * dashboard is of one, all of them where it is of any.
 */
export function panelQueries(service: string, rateInterval: string): PanelQuery[] {
  return [...readDashboards()].flatMap(([file, board]) =>
    panelsOf(board).flatMap(({ title, targets }) =>
      targets.map(({ refId, expr }) => ({
        name: `${file}, "${title}", ${refId}`,
        expr: expr
          .replaceAll('$__rate_interval', rateInterval)
          .replaceAll('=~"$service"', '=~".+"')
          .replaceAll('$service', service),
      })),
    ),
  );
}
