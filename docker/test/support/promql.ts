import { parser } from '@prometheus-io/lezer-promql';

/**
 * The metrics that a PromQL expression reads, by Prometheus' own grammar.
 * @throws where it is no PromQL
 */
export function metricsOf(expression: string): string[] {
  const names = new Set<string>();
  parser.parse(expression).iterate({
    enter: ({ type, name, from, to }) => {
      if (type.isError) throw new Error(`no PromQL at character ${from}: ${expression}`);
      if (name === 'VectorSelector') {
        const [metric] = /^[a-zA-Z_:][\w:]*/.exec(expression.slice(from, to)) ?? [];
        if (metric === undefined) throw new Error(`a selector without a name: ${expression}`);
        names.add(metric);
      }
    },
  });
  return [...names];
}
