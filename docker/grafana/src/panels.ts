import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { DashboardLinkBuilder, DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** What a panel shows, in words and numbers. */
export interface PanelText {
  title: string;
  /** What it means, and what is worth a thought. */
  description: string;
  /** Grafana's id of the unit: `s`, `reqps`, `percentunit`, `short`, `bytes`. */
  unit?: string;
  /** The alert whose section in docs/operations.md says what to do. */
  alert?: string;
}

/** PromQL by the legend of its series: `{{job}}` is replaced by the label. */
export type Queries = Record<string, string>;

export interface GraphOptions {
  stacked?: boolean;
  /** Traces are shown as points where the query is of a histogram's buckets. */
  exemplars?: boolean;
}

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
export type Panel = StatBuilder | TableBuilder | TimeseriesBuilder;

const links = (alert: string | undefined) =>
  alert === undefined
    ? []
    : [
        new DashboardLinkBuilder(`What to do: ${alert}`)
          .type(DashboardLinkType.Link)
          .url(`\${runbooks}#${alert.toLowerCase()}`)
          .targetBlank(true),
      ];

const query = (expr: string, index: number) =>
  new DataqueryBuilder().refId(String.fromCharCode(65 + index)).expr(expr);

/** Over time, a third of the width. */
export function graph(
  { title, description, unit = 'short', alert }: PanelText,
  queries: Queries,
  { stacked = false, exemplars = false }: GraphOptions = {},
): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(DATASOURCE)
    .links(links(alert))
    .span(8)
    .height(8)
    .min(0)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(stacked ? 30 : 8)
    .showPoints(VisibilityMode.Never)
    .stacking(
      new StackingConfigBuilder()
        .mode(stacked ? StackingMode.Normal : StackingMode.None)
        .group('A'),
    )
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    );
  for (const [index, [legend, expr]] of Object.entries(queries).entries())
    panel.withTarget(query(expr, index).range().legendFormat(legend).exemplar(exemplars));
  return panel;
}

/** One number, now; four in a row. */
export function stat(
  { title, description, unit = 'short', alert }: PanelText,
  expr: string,
): StatBuilder {
  return new StatBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(DATASOURCE)
    .links(links(alert))
    .span(6)
    .height(4)
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .withTarget(query(expr, 0).instant());
}

/** A row a series, its labels as columns. */
export function table(
  { title, description, unit = 'short', alert }: PanelText,
  expr: string,
  hidden: string[] = [],
): TableBuilder {
  return new TableBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(DATASOURCE)
    .links(links(alert))
    .span(12)
    .height(8)
    .withTarget(query(expr, 0).instant().format(PromQueryFormat.Table))
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: Object.fromEntries(['Time', ...hidden].map((name) => [name, true])),
      },
    });
}

/** Of a histogram, by `labels` and quantile: `p50` and so on, in the order given. */
export function quantiles(
  histogram: string,
  selector: string,
  shares: number[] = [0.5, 0.95, 0.99],
): Queries {
  return Object.fromEntries(
    shares.map((share) => [`p${share * 100}`, quantile(share, histogram, selector)]),
  );
}

export function quantile(share: number, histogram: string, selector: string, by = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${histogram}_bucket{${selector}}[$__rate_interval])))`;
}

/** A counter's rate, summed up by labels. */
export function rate(counter: string, by: string, selector = ''): string {
  return `sum by (${by}) (rate(${counter}{${selector}}[$__rate_interval]))`;
}
