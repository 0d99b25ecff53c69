import type { ServiceAddresses } from '@gatehouse/launcher';
import type { EngineInUse } from '../platform/engines-in-use.ts';

export interface Summary {
  gatewayUrl: string;
  gatewayAdminUrl: string;
  engines: readonly EngineInUse[];
  services: { name: string; addresses: ServiceAddresses }[];
  data: string;
  logs: string;
  /** On the first start alone. */
  administrator?: { email: string; password: string; file: string };
}

/** The table a start ends in. */
export function summaryLines(summary: Summary): string[] {
  const { gatewayUrl, gatewayAdminUrl, administrator } = summary;
  const rows = summary.services.map(({ name, addresses }) => [
    name,
    portOf(addresses.httpUrl),
    addresses.grpcAddress === undefined ? '-' : portOf(`grpc://${addresses.grpcAddress}`),
    portOf(addresses.adminUrl),
  ]);
  return [
    `  Gateway         ${gatewayUrl}`,
    `  Docs            ${gatewayUrl}/docs`,
    `  Gateway admin   ${gatewayAdminUrl}  (metrics, health, routes, instances)`,
    '',
    ...columns([['Service', 'HTTP', 'gRPC', 'Admin'], ...rows]).map((line) => `  ${line}`),
    '',
    ...summary.engines.map(({ need, by }) => `  ${need.padEnd(15)} ${by}`),
    `  Data            ${summary.data}`,
    `  Logs            ${summary.logs}`,
    ...(administrator
      ? [
          '',
          `  Administrator   ${administrator.email}`,
          `  Password        ${administrator.password}`,
          `                  shown this once; kept in ${administrator.file}`,
        ]
      : []),
  ];
}

function columns(rows: string[][]): string[] {
  return rows.map(([first = '', ...rest]) =>
    [first.padEnd(15), ...rest.map((cell) => cell.padEnd(7))].join(' ').trimEnd(),
  );
}

function portOf(url: string): string {
  return new URL(url).port;
}
