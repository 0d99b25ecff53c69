// What a team would reach for: Fastify with @fastify/http-proxy, which checks nothing either.
import proxy from '@fastify/http-proxy';
import Fastify from 'fastify';
import process from 'node:process';

const fastify = Fastify({ logger: false, keepAliveTimeout: 72_000 });
await fastify.register(proxy, {
  upstream: `http://127.0.0.1:${process.argv[2]}`,
  undici: { connections: 256, pipelining: 1 },
});
await fastify.listen({ port: 0, host: '127.0.0.1' });
process.send({ port: fastify.server.address().port });
process.once('disconnect', () => process.exit(0));
