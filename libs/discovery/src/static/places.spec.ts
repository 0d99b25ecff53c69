import { describe, expect, it } from '@jest/globals';
import { parseAddress, parsePlaces } from './places.ts';

describe('DISCOVERY_STATIC', () => {
  it('names for each service addresses, names and names of SRV records', () => {
    const text =
      ' auth=auth.shop.svc.cluster.local ; orders = 10.0.0.7:3000, [fd00::1]:3001,[::1];carts=srv:_discovery._tcp.carts.shop;';
    expect([...parsePlaces(text)]).toEqual([
      ['auth', [{ host: 'auth.shop.svc.cluster.local', port: 3900 }]],
      [
        'orders',
        [
          { host: '10.0.0.7', port: 3000 },
          { host: 'fd00::1', port: 3001 },
          { host: '::1', port: 3900 },
        ],
      ],
      ['carts', [{ srv: '_discovery._tcp.carts.shop' }]],
    ]);
  });

  it.each([
    ['', 'names no service'],
    ['auth', '"auth" is not service=place,place'],
    ['Auth=a', '"Auth" is no name of a service'],
    ['auth=a;auth=b', 'auth stands there twice'],
    ['auth=', '"" is not host:port'],
    ['auth=a,', '"" is not host:port'],
    ['auth=a:b:c', '"a:b:c" is not host:port'],
    ['auth=10.0.0.256', '"10.0.0.256" is not host:port'],
    ['auth=[10.0.0.1]:1', '"[10.0.0.1]:1" is not host:port'],
    ['auth=a:65536', '"a:65536" has a port above 65535'],
    ['auth=http://a', '"http://a" is not host:port'],
    ['auth=srv:', '"srv:" is not srv: and a name'],
  ])('refuses %j, and says what is wrong with it', (text, problem) => {
    expect(() => parsePlaces(text)).toThrow(problem);
  });

  it('takes an address to listen at, with or without a port', () => {
    expect(parseAddress('[::]:4000', 3900)).toEqual({ host: '::', port: 4000 });
    expect(parseAddress('127.0.0.1', 3900)).toEqual({ host: '127.0.0.1', port: 3900 });
  });
});
