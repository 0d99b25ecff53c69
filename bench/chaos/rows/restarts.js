import { isNotGood, tally } from '../lib/load.js';
import { withDetail } from '../lib/stage.js';

const SERVICES = ['audit', 'authz', 'identity', 'auth', 'gateway'];
const TWO = Object.fromEntries(SERVICES.map((service) => [service, 2]));

/** SIGTERM is what every deployment sends: nobody may notice. */
export const restarts = [
  {
    name: 'sigterm',
    title: 'SIGTERM to one of two instances of each service under load',
    criterion: 'no connection reset, no 5xx',
    short: true,
    run: (stage) =>
      restartEach(stage, async (platform, service) => {
        await platform.kill(service, 'SIGTERM', 0);
      }),
  },
  {
    name: 'rolling-restart',
    title: 'rolling restart of two instances of each service under load',
    criterion: 'no connection reset, no 5xx',
    run: (stage) =>
      restartEach(stage, async (platform, service) => {
        await platform.restart(service, 0);
        await platform.restart(service, 1);
      }),
  },
];

async function restartEach(stage, restart) {
  const { platform } = await stage.open({ instances: TWO });
  await stage.behindFront();
  await stage.underLoad(async () => {
    for (const service of SERVICES) {
      const from = performance.now();
      await restart(platform, service);
      const bad = stage.samplesFrom(from).filter(isNotGood);
      stage.expect(
        `${service}: nobody notices`,
        bad.length === 0,
        `${tally(bad)}; ${withDetail(bad)}`,
      );
    }
    stage.faultEnds();
    await stage.untilSteady(0);
  });
  const bad = stage.samplesFrom(0).filter(isNotGood);
  stage.expect(
    'no connection reset, no 5xx, nothing else',
    bad.length === 0,
    `${tally(bad)}; ${withDetail(bad)}`,
  );
}
