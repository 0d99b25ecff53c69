import { access } from './access.ts';
import { audit } from './audit.ts';
import { database } from './database.ts';
import { events } from './events.ts';
import { gateway } from './gateway.ts';
import { overview } from './overview.ts';
import { service } from './service.ts';

/** In the order in which one goes from the whole to a part. */
const all = [overview, gateway, service, events, access, audit, database];

/** File name and text of each dashboard, as docker/grafana/dashboards holds them. */
export function dashboardFiles(): Map<string, string> {
  return new Map(
    all
      .map((board) => board.build())
      .map((board) => [`${board.uid ?? ''}.json`, `${JSON.stringify(board, null, 1)}\n`]),
  );
}
