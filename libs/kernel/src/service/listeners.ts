import { networkInterfaces } from 'node:os';

/** One address this process answers at. */
export interface Listener {
  /** As other processes reach it: `ADVERTISE_HOST`, else the host listened on (127.0.0.1 for a wildcard). */
  host: string;
  port: number;
  /** `http://host:port`; for gRPC `host:port`. */
  url: string;
}

/** Where this process listens. Filled at the end of start phase `transports`, before `register`. */
export class Listeners {
  http?: Listener;
  grpc?: Listener;
  admin?: Listener;
}

/**
 * How others reach what listens on `host`. A wildcard is no address to give away: the first outward IPv4 address of this
 * machine stands for it, which holds in a container; ADVERTISE_HOST says otherwise.
 */
export function advertised(
  scheme: 'http://' | '',
  host: string,
  port: number,
  advertise?: string,
): Listener {
  const wildcard = host === '0.0.0.0' || host === '::';
  const name = advertise ?? (wildcard ? outwardAddress() : host);
  const authority = name.includes(':') ? `[${name}]` : name;
  return { host: name, port, url: `${scheme}${authority}:${port}` };
}

function outwardAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return (
    addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
  );
}
