import type { Socket } from 'node:net';
import { ClientAddress } from './client-address.ts';

const limitKeyOf = (address: string) => new ClientAddress([]).of(from(address), undefined).limitKey;
const from = (remoteAddress: string) => ({ remoteAddress }) as unknown as Socket;

describe('the address of a client', () => {
  it('is its own whatever X-Forwarded-For says, where no proxy is trusted', () => {
    const addresses = new ClientAddress([]);
    expect(addresses.of(from('203.0.113.9'), '1.1.1.1').address).toBe('203.0.113.9');
  });

  it('is its own where what stands before us is not a trusted proxy', () => {
    const addresses = new ClientAddress(['10.0.0.0/8']);
    expect(addresses.of(from('203.0.113.9'), '1.1.1.1').address).toBe('203.0.113.9');
  });

  it('is the rightmost that no trusted proxy has, so that what a client prepends changes nothing', () => {
    const addresses = new ClientAddress(['10.0.0.0/8']);
    const spoofed = (lie: string) =>
      addresses.of(from('10.0.0.1'), `${lie}, 203.0.113.9, 10.0.0.2`).address;
    expect(new Set(['1.1.1.1', '2.2.2.2', '10.9.9.9', 'nonsense'].map(spoofed))).toEqual(
      new Set(['203.0.113.9']),
    );
  });

  it('stops at what is not an address', () => {
    const addresses = new ClientAddress(['10.0.0.0/8']);
    expect(addresses.of(from('10.0.0.1'), '1.1.1.1, not-an-address').address).toBe('10.0.0.1');
  });

  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:0201', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:DB8::1', '2001:db8::1'],
  ])('is written in one way: %s is %s', (written, plain) => {
    expect(new ClientAddress([]).of(from(written), undefined).address).toBe(plain);
  });

  it('is counted by its /64 where it is IPv6', () => {
    const keys = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:0db8:0001:0002:1:2:3:4'];
    expect(new Set(keys.map(limitKeyOf))).toEqual(new Set(['2001:db8:1:2::/64']));
    expect(limitKeyOf('2001:db8:1:3::1')).toBe('2001:db8:1:3::/64');
    expect(limitKeyOf('::1')).toBe('0:0:0:0::/64');
    expect(limitKeyOf('192.0.2.1')).toBe('192.0.2.1');
  });

  it.each(['10.0.0.0/33', 'proxy.example', '10.0.0.0/x', ''])('takes no %s as a proxy', (proxy) => {
    expect(() => new ClientAddress([proxy])).toThrow('not an address');
  });
});
