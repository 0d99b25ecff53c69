import { isIP } from 'node:net';

/** Where discovery listens by default, and where others are asked unless a place says otherwise. */
export const DEFAULT_PORT = 3900;

/** Where instances of a service are to be asked for their entries. */
export type Place =
  /** An address, or a name with A and AAAA records: one for each instance. */
  | { host: string; port: number }
  /** A name with SRV records, which say host and port of each instance. */
  | { srv: string };

const SERVICE = /^[a-z][a-z0-9-]{0,40}$/;
const NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?$/;

/**
 * Reads `service=place,place;service=place`. A place is `host`, `host:port`, `[IPv6]:port` or `srv:name`.
 * @throws Error that says which part is wrong
 */
export function parsePlaces(text: string): Map<string, Place[]> {
  const places = new Map<string, Place[]>();
  for (const part of text.split(';').map((each) => each.trim())) {
    if (part === '') continue;
    const [, service, list] = /^([^=]*)=(.*)$/.exec(part) ?? [];
    if (service === undefined || list === undefined)
      throw new Error(`"${part}" is not service=place,place`);
    if (!SERVICE.test(service.trim())) throw new Error(`"${service}" is no name of a service`);
    if (places.has(service.trim())) throw new Error(`${service} stands there twice`);
    places.set(
      service.trim(),
      list.split(',').map((place) => parsePlace(place.trim())),
    );
  }
  if (places.size === 0) throw new Error('names no service');
  return places;
}

function parsePlace(text: string): Place {
  if (text.startsWith('srv:')) {
    const srv = text.slice('srv:'.length);
    if (!NAME.test(srv)) throw new Error(`"${text}" is not srv: and a name`);
    return { srv };
  }
  return parseAddress(text, DEFAULT_PORT);
}

/** Reads `host:port` or `[IPv6]:port`; the port may be left out. @throws Error that says what is wrong */
export function parseAddress(text: string, fallback: number): { host: string; port: number } {
  const [, v6, name, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? name ?? '';
  const valid = v6 === undefined ? isIP(host) === 4 || isName(host) : isIP(host) === 6;
  if (!valid) throw new Error(`"${text}" is not host:port, [IPv6]:port or srv:name`);
  const port = digits === undefined ? fallback : Number(digits);
  if (port > 65_535) throw new Error(`"${text}" has a port above 65535`);
  return { host, port };
}

/** Four numbers that are no address are a slip, and no name. */
function isName(host: string): boolean {
  return NAME.test(host) && !/^[\d.]+$/.test(host);
}
