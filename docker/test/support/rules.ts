import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const PROMETHEUS = join(import.meta.dirname, '..', '..', 'prometheus');
/** In promtool's own format. */
export const RULE_TESTS = join(import.meta.dirname, '..', 'rules');

const annotations = z.strictObject({
  summary: z.string(),
  description: z.string(),
  runbook_url: z.string(),
});
const alert = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  keep_firing_for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
  annotations,
});
const recording = z.strictObject({
  record: z.string(),
  expr: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
});
const rulesFile = z.strictObject({
  groups: z.array(
    z.strictObject({ name: z.string(), rules: z.array(z.union([alert, recording])) }),
  ),
});
const testsFile = z.object({
  tests: z.array(
    z.object({
      name: z.string(),
      alert_rule_test: z.array(
        z.object({
          alertname: z.string(),
          exp_alerts: z.array(z.object({ exp_labels: z.record(z.string(), z.string()) })),
        }),
      ),
    }),
  ),
});

export type Alert = z.infer<typeof alert>;
export type Recording = z.infer<typeof recording>;

const yamlFiles = (folder: string, pattern: string) =>
  globSync(pattern, { cwd: folder }).map(
    (file): unknown => parse(readFileSync(join(folder, file), 'utf8')) as unknown,
  );

/** Every rule of the repository; `severity` and the annotations of an alert are not optional. */
export function readRules(): { alerts: Alert[]; recordings: Recording[] } {
  const rules = yamlFiles(PROMETHEUS, 'rules/*.rules.yml')
    .flatMap((file) => rulesFile.parse(file).groups)
    .flatMap((group) => group.rules);
  return {
    alerts: rules.filter((rule) => 'alert' in rule),
    recordings: rules.filter((rule) => 'record' in rule),
  };
}

/** Of each test of an alert: which severities it expects to fire, perhaps none. */
export function readRuleTests(): { alert: string; severities: string[] }[] {
  return yamlFiles(RULE_TESTS, '*.test.yml')
    .flatMap((file) => testsFile.parse(file).tests)
    .flatMap(({ alert_rule_test }) => alert_rule_test)
    .map(({ alertname, exp_alerts }) => ({
      alert: alertname,
      severities: exp_alerts.map(({ exp_labels }) => exp_labels.severity ?? ''),
    }));
}
