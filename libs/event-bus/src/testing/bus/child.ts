import { setTimeout as sleep } from 'node:timers/promises';

import { Orders } from './orders.ts';
import { startService } from './test-service.ts';

/**
 * One instance of a test service as a process, to be killed. Environment: SERVICE (alpha, beta), MODE, and the service's own.
 * `publish`: places orders for keys k0 to k9 without end, and prints each once its transaction has committed.
 * `hang`: prints EFFECT between a handler's effect and its commit, and goes no further.
 * `die`: is killed by an order 13, between its effect and its commit.
 * `fail-then-die`: the first try of an order 13 throws; it is killed by each later one.
 */
const name = process.env.SERVICE === 'alpha' ? 'alpha' : 'beta';
const mode = process.env.MODE;

const service = await startService(name, process.env as Record<string, string>, {
  instance: `child ${process.pid}`,
  ...((mode === 'die' || mode === 'fail-then-die') && {
    afterEffect: async (event, database) => {
      if (event.data.n !== 13) return;
      const held = await database.query('SELECT FROM held_events WHERE event_id = $1', [event.id]);
      if (mode === 'fail-then-die' && held.length === 0) throw new Error('not yet');
      process.kill(process.pid, 'SIGKILL');
      await sleep(60_000);
    },
  }),
  ...(mode === 'hang' && {
    afterEffect: async (event) => {
      console.log(`EFFECT ${event.partitionkey} ${event.data.n}`);
      await sleep(3_600_000);
    },
  }),
});
console.log('READY');

if (mode === 'publish') {
  const orders = service.get(Orders);
  for (let n = 0; ; n += 1) {
    await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        await orders.place(`k${i}`, [n]);
        console.log(`PLACED k${i} ${n}`);
      }),
    );
  }
}
