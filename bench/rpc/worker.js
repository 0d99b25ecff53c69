// One process that calls: does what the runner asks, and says what it took.
import { newRequestContext, requestContext } from '@gatehouse/kernel';
import process from 'node:process';
import { quantile } from '../lib/load.js';
import { TARGETS, TOKEN } from './targets.js';

const CALLERS = 32;
const [, , name, port] = process.argv;
const call = TARGETS[name](Number(port));
const request = {
  subjectId: '0192f0c1-2d7e-7cc3-98c4-dc0c0c07398f',
  permission: 'identity.user.update',
  scope: 'platform',
  subjectType: 'user',
};

/** Callers that each call again when they have been answered, each in a request of its own. */
async function loop(seconds) {
  const latencies = [];
  const before = process.cpuUsage();
  const until = performance.now() + seconds * 1000;
  const caller = async () => {
    while (performance.now() < until) {
      const asked = performance.now();
      const { allowed } = await call(request);
      if (!allowed) throw new Error('an unexpected answer');
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(
    Array.from({ length: CALLERS }, () => {
      const context = newRequestContext();
      context.principal = { type: 'user', id: request.subjectId, token: TOKEN };
      return requestContext.run(context, caller);
    }),
  );
  const { user, system } = process.cpuUsage(before);
  const sorted = Float64Array.from(latencies).sort();
  return {
    count: sorted.length,
    cpuMicros: (user + system) / sorted.length,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  };
}

process.on('message', async ({ id, seconds }) => process.send({ id, answer: await loop(seconds) }));
process.once('disconnect', () => process.exit(0));
process.send({ port: 0 });
