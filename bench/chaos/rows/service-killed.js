import { setTimeout as sleep } from 'node:timers/promises';

const SERVICES = ['gateway', 'auth', 'identity', 'authz', 'audit'];
const READY_WITHIN_MS = 10_000;

/** kill -9 of each service under load, one row a service. */
export const serviceKilled = SERVICES.map((service) => ({
  name: `${service}-killed`,
  title: `kill -9 of ${service} under load`,
  criterion:
    'no acknowledged write lost, no effect doubled, ready again within 10 s of its restart',
  short: service === 'identity',
  async run(stage) {
    await stage.open();
    await stage.underLoad(async () => {
      await stage.platform.kill(service);
      await sleep(1_000);
      const from = performance.now();
      await stage.platform.restart(service);
      const readyMs = performance.now() - from;
      stage.expect(
        'ready again within 10 s of its restart',
        readyMs <= READY_WITHIN_MS,
        `${Math.round(readyMs)} ms`,
      );
      stage.note(`ready ${(readyMs / 1_000).toFixed(1)} s after its restart`);
      stage.faultEnds();
      await stage.untilSteady(READY_WITHIN_MS);
    });
  },
}));
