import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeWithPrograms } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { metricsOf } from './support/promql.ts';
import { PROMETHEUS, readRules, readRuleTests, RULE_TESTS } from './support/rules.ts';
import { read } from './support/workspace.ts';

const { alerts, recordings } = readRules();
const named = alerts.map(({ alert, labels }) => ({ alert, severity: labels.severity }));

interface Configuration {
  rule_files: string[];
  scrape_configs: Record<string, unknown>[];
}
const configuration = (file: string) =>
  parse(readFileSync(join(PROMETHEUS, file), 'utf8')) as Configuration;

describe('alerts', () => {
  it.each(named)('$alert ($severity) is fired by a test, and not by another', (rule) => {
    const tests = readRuleTests().filter(({ alert }) => alert === rule.alert);
    expect(tests.map(({ severities }) => severities.includes(rule.severity))).toEqual(
      expect.arrayContaining([true, false]),
    );
  });

  it('are all of them tested under the names that they have', () => {
    const known = new Set(named.map(({ alert }) => alert));
    expect(readRuleTests().filter(({ alert }) => !known.has(alert))).toEqual([]);
  });

  it('each link to their own section of docs/operations.md, and no section is of an alert that is gone', () => {
    const [, page = ''] = read('docs/operations.md').split('\n## Alerts\n');
    const [section = ''] = page.split('\n## ');
    const headings = [...section.matchAll(/^### (.+)$/gm)].map(([, heading = '']) => heading);
    expect([...new Set(named.map(({ alert }) => alert))].sort()).toEqual(headings.sort());
    for (const { alert, annotations } of alerts)
      expect(annotations.runbook_url).toBe(`docs/operations.md#${alert.toLowerCase()}`);
  });
});

describe('recorded series', () => {
  it('are those that alerts read, and the other way round', () => {
    const recorded = [...new Set(recordings.map(({ record }) => record))].sort();
    const readBy = [...alerts, ...recordings].flatMap(({ expr }) => metricsOf(expr));
    expect([...new Set(readBy.filter((name) => name.includes(':')))].sort()).toEqual(recorded);
  });
});

describe('the two ways to find instances', () => {
  it('differ in nothing else', () => {
    const withoutTargets = (file: string) => {
      const { scrape_configs, ...rest } = configuration(file);
      const jobs = scrape_configs.map(
        ({ consul_sd_configs: _c, file_sd_configs: _f, relabel_configs: _r, ...job }) => job,
      );
      return { ...rest, jobs };
    };
    expect(withoutTargets('prometheus.yml')).toEqual(withoutTargets('prometheus.static.yml'));
  });
});

describeWithPrograms(['promtool'], () => {
  const run = promisify(execFile);
  const promtool = async (...args: string[]) => {
    try {
      return (await run('promtool', args)).stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`promtool ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
    }
  };
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-prometheus-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('takes the configuration that lists instances in files', async () => {
    const file = join(PROMETHEUS, 'prometheus.static.yml');
    expect(await promtool('check', 'config', '--lint=all', '--lint-fatal', file)).toContain(
      'rules found',
    );
  });

  it('takes the configuration that finds instances through Consul', async () => {
    const file = join(PROMETHEUS, 'prometheus.yml');
    const check = (path: string) => promtool('check', 'config', '--syntax-only', path);
    const answer = await check(file).catch((error: unknown) => (error as Error).message);
    // Debian builds Prometheus without Consul's service discovery; then the rest of the file is what can be checked.
    if (answer.includes('field consul_sd_configs not found')) {
      const { scrape_configs, ...rest } = configuration('prometheus.yml');
      const jobs = scrape_configs.map(({ consul_sd_configs: _consul, ...job }) => job);
      const path = join(folder, 'prometheus.yml');
      writeFileSync(path, stringify({ ...rest, scrape_configs: jobs }));
      expect(await check(path)).toContain('SUCCESS');
    } else {
      expect(answer).toContain('SUCCESS');
    }
  });

  it.each(globSync('*.test.yml', { cwd: RULE_TESTS }))(
    'finds that alerts fire as %s says',
    async (file) => {
      expect(await promtool('test', 'rules', join(RULE_TESTS, file))).toContain('SUCCESS');
    },
    300_000,
  );
});
