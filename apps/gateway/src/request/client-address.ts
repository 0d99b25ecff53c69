import { addressKey } from '@gatehouse/guards';
import type { Socket } from 'node:net';
import { BlockList, isIP } from 'node:net';

/** Whom a request comes from. */
export interface Client {
  /** In its plain form (`::ffff:1.2.3.4` is `1.2.3.4`), or `unknown` where the socket is gone. */
  readonly address: string;
  /** What limits count by: an IPv4 address, or the /64 of an IPv6 address. */
  readonly limitKey: string;
}

const PEER = Symbol('peer');
type Peer = Socket & { [PEER]?: Client };

/**
 * Whose request this is. `X-Forwarded-For` is believed only from a proxy that configuration names, and read from the
 * right: the first address that is not such a proxy is the client. Whatever stands left of it, the client wrote.
 */
export class ClientAddress {
  private readonly trusted = new BlockList();
  private readonly trustsAny: boolean;

  /** @param proxies addresses and CIDR ranges, as `10.0.0.0/8` or `::1`. @throws on what is neither. */
  constructor(proxies: readonly string[]) {
    this.trustsAny = proxies.length > 0;
    for (const proxy of proxies) this.trust(proxy);
  }

  of(socket: Socket, forwardedFor: string | undefined): Client {
    const peer = peerOf(socket);
    if (!this.trustsAny || forwardedFor === undefined || !this.isTrusted(peer.address)) return peer;
    return clientAt(this.rightmostUntrusted(peer.address, forwardedFor.split(',')));
  }

  private rightmostUntrusted(peer: string, hops: string[]): string {
    let client = peer;
    for (let index = hops.length - 1; index >= 0; index--) {
      const hop = plainAddress((hops[index] ?? '').trim());
      if (hop === undefined) return client;
      client = hop;
      if (!this.isTrusted(hop)) return client;
    }
    return client;
  }

  /** Whether what stands directly before us is a proxy that configuration names. */
  isBehindTrustedProxy(socket: Socket): boolean {
    return this.trustsAny && this.isTrusted(peerOf(socket).address);
  }

  private isTrusted(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  private trust(proxy: string): void {
    const [address = '', bits] = proxy.split('/');
    const family = isIP(address);
    const width = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? width : Number(bits);
    if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > width) {
      throw new Error(`not an address or CIDR range: ${proxy}`);
    }
    this.trusted.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** Found once a connection. */
function peerOf(socket: Peer): Client {
  return (socket[PEER] ??= clientAt(plainAddress(socket.remoteAddress ?? '') ?? 'unknown'));
}

function clientAt(address: string): Client {
  return { address, limitKey: addressKey(address) };
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const MAPPED_HEX = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;

function plainAddress(written: string): string | undefined {
  // `fe80::1%eth0`: the zone is this machine's affair.
  const address = written.replace(/%.*$/, '').replace(/^\[(.*)\]$/, '$1');
  const family = isIP(address);
  if (family === 0) return undefined;
  if (family === 4) return address;
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const hex = MAPPED_HEX.exec(address);
  if (hex === null) return address.toLowerCase();
  const [high, low] = [Number.parseInt(hex[1] ?? '', 16), Number.parseInt(hex[2] ?? '', 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
