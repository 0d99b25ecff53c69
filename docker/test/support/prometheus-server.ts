import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChildProcessHandle, freePort, startProcess } from '@gatehouse/testing';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { PROMETHEUS } from './rules.ts';
import { read } from './workspace.ts';

/** Of a scraped process: its labels, and how its last scrape went. */
export interface Target {
  labels: Record<string, string>;
  health: string;
  scrapeUrl: string;
}

const targets = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({
        labels: z.record(z.string(), z.string()),
        health: z.string(),
        scrapeUrl: z.string(),
      }),
    ),
  }),
});
const answer = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z
    .object({
      result: z.array(
        z.object({
          metric: z.record(z.string(), z.string()),
          value: z.tuple([z.number(), z.string()]),
        }),
      ),
    })
    .optional(),
});

/** Whether the `prometheus` of this machine was built with Consul's service discovery; Debian's is not. */
export function findsThroughConsul(): boolean {
  const file = join(PROMETHEUS, 'prometheus.yml');
  try {
    execFileSync('promtool', ['check', 'config', '--syntax-only', file], { stdio: 'pipe' });
    return true;
  } catch (error) {
    const said = String((error as { stderr: Buffer }).stderr);
    if (said.includes('field consul_sd_configs not found')) return false;
    throw error;
  }
}

/**
 * A real Prometheus on the repository's own configuration and rules, a copy of them in which are changed: where Consul is or
 * which targets there are, and how often it scrapes and evaluates (each second). Its features are those of Compose's.
 */
export class PrometheusServer {
  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly process: ChildProcessHandle,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** @param at `consul`: its `host:port`; `targets`: admin addresses by service, for the static configuration */
  static async start(
    at: { consul: string } | { targets: Record<string, string[]> },
  ): Promise<PrometheusServer> {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-prometheus-'));
    const port = await freePort();
    cpSync(PROMETHEUS, folder, { recursive: true });
    const config = join(folder, 'consul' in at ? 'prometheus.yml' : 'prometheus.static.yml');
    const replaced = replace(readFileSync(config, 'utf8'), {
      'scrape_interval: 15s': 'scrape_interval: 1s',
      'evaluation_interval: 15s': 'evaluation_interval: 1s',
      'localhost:9090': `127.0.0.1:${port}`,
      ...('consul' in at && { 'consul:8500': at.consul }),
    });
    writeFileSync(config, replaced);
    if ('targets' in at) {
      const groups = Object.entries(at.targets).map(([job, targets]) => ({
        labels: { job },
        targets,
      }));
      writeFileSync(join(folder, 'targets', 'gatehouse.yml'), stringify(groups));
    }
    const server = await startProcess(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        ...composeFeatures(),
      ],
      {
        env: { NODE_OPTIONS: '' },
        readyWhen: () =>
          fetch(`http://127.0.0.1:${port}/-/ready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        readyTimeoutMs: 60_000,
      },
    );
    return new PrometheusServer(folder, port, server);
  }

  async targets(): Promise<Target[]> {
    return targets.parse(await this.get('/api/v1/targets?state=active')).data.activeTargets;
  }

  /** What an expression gives now; NaN is left out, since Grafana shows nothing for it. @throws where it is refused */
  async query(expr: string): Promise<{ metric: Record<string, string>; value: number }[]> {
    const body = answer.parse(await this.get(`/api/v1/query?query=${encodeURIComponent(expr)}`));
    if (body.data === undefined) throw new Error(`${expr}: ${body.error ?? body.status}`);
    return body.data.result
      .map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }))
      .filter(({ value }) => !Number.isNaN(value));
  }

  /** Names of all metrics that some process has told of, with samples or without. */
  async metrics(): Promise<Set<string>> {
    const known = z.object({ data: z.record(z.string(), z.unknown()) });
    const series = z.object({ data: z.array(z.string()) });
    const described = known.parse(await this.get('/api/v1/metadata')).data;
    const names = series.parse(await this.get('/api/v1/label/__name__/values')).data;
    return new Set([...Object.keys(described), ...names]);
  }

  async stop(): Promise<void> {
    await this.process.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async get(path: string): Promise<unknown> {
    return (await fetch(`${this.url}${path}`)).json();
  }
}

function replace(text: string, changes: Record<string, string>): string {
  for (const [from, to] of Object.entries(changes)) {
    if (!text.includes(from)) throw new Error(`the configuration of Prometheus has no ${from}`);
    text = text.replace(from, to);
  }
  return text;
}

/** What Compose switches on in its Prometheus (`--enable-feature=...`), and so this one has. */
function composeFeatures(): string[] {
  const { services } = z
    .object({ services: z.object({ prometheus: z.object({ command: z.array(z.string()) }) }) })
    .parse(parse(read('docker/compose.yaml'), { merge: true, maxAliasCount: -1 }));
  return services.prometheus.command.filter((flag) => flag.startsWith('--enable-feature='));
}
