import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { isFree, lastingPort, refuseTakenPort } from './ports.ts';

describe('ports', () => {
  let server: Server;
  let taken: number;
  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    taken = (server.address() as AddressInfo).port;
  });
  afterEach(() => server.close());

  it('that are taken are refused by name, with a way out', async () => {
    expect(await isFree(taken)).toBe(false);
    await expect(refuseTakenPort(taken, 'the gateway', 'GATEWAY_PORT')).rejects.toThrow(
      new RegExp(`port ${taken}, which the gateway listens on.*GATEWAY_PORT=\\d+`, 's'),
    );
  });

  it('are kept while they are free, and replaced where they are not', async () => {
    const free = await lastingPort(undefined);
    expect(await lastingPort(free)).toBe(free);
    expect(await lastingPort(taken)).not.toBe(taken);
  });

  it('that last are not among those that the system gives away', async () => {
    expect(await lastingPort(undefined)).toBeLessThan(30_000);
  });
});
