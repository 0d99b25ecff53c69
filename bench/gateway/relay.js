// The yardstick: a bare relay of node:http and undici's dispatch that checks nothing.
import { createServer } from 'node:http';
import process from 'node:process';
import { Pool } from './undici.js';

const HOP_BY_HOP = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 256, pipelining: 1 });

const server = createServer((request, response) => {
  const headers = [];
  const { rawHeaders } = request;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index].toLowerCase();
    if (!HOP_BY_HOP.has(name)) headers.push(name, rawHeaders[index + 1]);
  }
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
  const { method, url: path } = request;
  pool.dispatch(
    { path, method, headers, body: hasBody ? request : null },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, received) {
        const raw = [];
        for (const name in received) {
          if (!HOP_BY_HOP.has(name)) raw.push(name, received[name]);
        }
        response.writeHead(status, raw);
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return;
        controller.pause();
        response.once('drain', () => controller.resume());
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      },
    },
  );
});
server.keepAliveTimeout = 72_000;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.once('disconnect', () => process.exit(0));
