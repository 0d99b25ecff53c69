// The service behind every proxy: 300 bytes of JSON.
import { createServer } from 'node:http';
import process from 'node:process';

const body = Buffer.from(JSON.stringify({ id: 'thing', text: 'x'.repeat(274) }));
const server = createServer((_request, response) => {
  response.writeHead(200, [
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
  ]);
  response.end(body);
});
server.keepAliveTimeout = 72_000;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.once('disconnect', () => process.exit(0));
