import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCE, type Panel } from './panels.ts';

const TAG = 'gatehouse';

export interface DashboardText {
  /** Of its address and its file: `gatehouse-<name>`. */
  name: string;
  title: string;
  description: string;
  /** Whether its panels are of `$service`, and whether that may be all of them at once. */
  service?: 'one' | 'all';
}

/** A dashboard of rows of panels, linked to all others, with the variables that all have. */
export function dashboard(text: DashboardText, rows: Record<string, Panel[]>) {
  const { name, title, description, service } = text;
  const board = newBoard(`Gatehouse: ${title}`)
    .uid(`gatehouse-${name}`)
    .description(description)
    .tags([TAG])
    .editable()
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .link(
      new DashboardLinkBuilder('Gatehouse')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .keepTime(true)
        .includeVars(true),
    )
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
    );
  if (service !== undefined) board.withVariable(serviceVariable(service));
  board.withVariable(
    new TextBoxVariableBuilder('runbooks')
      .label('Runbooks')
      .description('Where docs/operations.md is read: the address that links to it begin with')
      .defaultValue('docs/operations.md'),
  );
  let id = 0;
  for (const [row, panels] of Object.entries(rows)) {
    board.withRow(new RowBuilder(row).id(++id));
    for (const panel of panels) board.withPanel(panel.id(++id));
  }
  return board;
}

/** Whatever service is scraped: a new one appears by itself. */
function serviceVariable(kind: 'one' | 'all'): QueryVariableBuilder {
  const variable = new QueryVariableBuilder('service')
    .label('Service')
    .datasource(DATASOURCE)
    .query({ query: 'label_values(gatehouse_build_info, job)', refId: 'service' })
    .definition('label_values(gatehouse_build_info, job)')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
  return kind === 'one'
    ? variable.multi(false).includeAll(false)
    : variable
        .multi(true)
        .includeAll(true)
        .allValue('.+')
        .current({ text: 'All', value: '$__all' });
}

/** Grafana's classic model: all versions read it from files. What is to follow it (v2) is of Grafana 12 alone. */
function newBoard(title: string) {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- see above
  return new DashboardBuilder(title);
}
