import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

import { HttpFront, KernelModule, type RunningService } from '../src/index.ts';
import './fixtures/log-lines.ts';
import { startProbe } from './fixtures/probe.service.ts';
import { rawHttp } from './fixtures/raw-http.ts';

@Injectable()
class Relay extends HttpFront {
  handle(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    if (request.url?.startsWith('/relayed') === true) response.end('by the front');
    else next();
  }

  override upgrade(_request: IncomingMessage, socket: Duplex): void {
    socket.on('end', () => socket.end());
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: probe\r\nConnection: Upgrade\r\n\r\nhello',
    );
  }
}

@Controller()
class Own {
  @Get('own')
  own() {
    return 'by Nest';
  }
}

@Module({ imports: [KernelModule.forService({ front: Relay })], controllers: [Own] })
class FrontModule {}

let service: RunningService;
beforeAll(async () => {
  service = await startProbe(FrontModule);
});
afterAll(() => service.stop());

describe('an HttpFront', () => {
  it('answers before the router, and hands on what it does not want', async () => {
    expect(await (await fetch(`${service.httpUrl}/relayed`)).text()).toBe('by the front');
    expect(await (await fetch(`${service.httpUrl}/own`)).text()).toBe('by Nest');
    expect((await fetch(`${service.httpUrl}/nowhere`)).status).toBe(404);
  });

  it('takes upgrades', async () => {
    const answer = await rawHttp(
      service.httpUrl,
      'GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: probe\r\n\r\n',
    );
    expect([answer.status, answer.body]).toEqual([101, 'hello']);
  });

  it('leaves upgraded connections open until the time of a stop is up, then cuts them', async () => {
    const own = await startProbe(FrontModule, { SHUTDOWN_TIMEOUT_SECONDS: '0.2' });
    const socket = connect(Number(new URL(own.httpUrl).port), '127.0.0.1');
    socket.write(
      'GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: probe\r\n\r\n',
    );
    await once(socket, 'data');
    const closed = once(socket, 'close');
    const began = performance.now();
    await own.stop();
    await closed;
    expect(performance.now() - began).toBeGreaterThan(180);
  });

  it('does not stand before the admin listener', async () => {
    expect((await fetch(`${service.adminUrl}/relayed`)).status).toBe(404);
  });
});
