import { setTimeout as sleep } from 'node:timers/promises';
import { crowd } from '../lib/crowd.js';
import { privateMemory } from '../lib/processes.js';

/** What the gateway will have in hand at once. */
const IN_HAND = 40;
/** Bounded: so much more at most, and after the heap has grown to what the load needs hardly more. */
const MEMORY_LIMIT_MIB = 400;
const PLATEAU_MIB = 64;
const ROUNDS = 3;

export const overload = [
  {
    name: 'overload',
    title: `ten times what is served is asked for, by ten times as many as the gateway will have in hand (${IN_HAND})`,
    criterion:
      'served up to capacity, the rest shed with 429/503, memory bounded, recovers at once',
    async run(stage) {
      const { platform, cast } = await stage.open({
        envOf: { gateway: { GATEWAY_MAX_IN_FLIGHT: String(IN_HAND) } },
      });
      const url = new URL('/v1/users?page_size=5', platform.gatewayUrl);
      const token = cast.administratorToken;
      const seconds = stage.seconds(4, 15);
      await crowd({ url, token, callers: IN_HAND / 2, seconds: 3 });
      const calm = await crowd({ url, token, callers: IN_HAND / 2, seconds });
      const { pid } = platform.instance('gateway');
      const memory = [mebibytesOf(pid)];
      const callers = 10 * IN_HAND;
      const pauseMs = (1_000 * callers) / (10 * calm.goodPerSecond);
      const rounds = [];
      for (let round = 0; round < ROUNDS; round++) {
        rounds.push(await crowd({ url, token, callers, seconds, pauseMs }));
        memory.push(mebibytesOf(pid));
      }
      const crowded = sumOf(rounds);
      await sleep(250);
      const after = await crowd({ url, token, callers: IN_HAND / 2, seconds: 3 });

      stage.figures = { sent: calm.sent + crowded.sent + after.sent };
      stage.expect('all is well before', calm.good === calm.sent, JSON.stringify(calm));
      stage.expect('some were shed', crowded.shed > 0, JSON.stringify(crowded));
      stage.expect(
        'every other answer was good: none failed, none stayed away',
        crowded.good + crowded.shed === crowded.sent,
        JSON.stringify(crowded),
      );
      stage.expect(
        'at least half of what was served before is served under it (callers and platform share the cores)',
        crowded.goodPerSecond >= calm.goodPerSecond / 2,
        `${crowded.goodPerSecond} of ${calm.goodPerSecond} a second`,
      );
      const grown = memory.at(-1) - memory[0];
      const last = memory.at(-1) - memory.at(-2);
      stage.expect(
        `memory is bounded: at most ${MEMORY_LIMIT_MIB} MiB more, at most ${PLATEAU_MIB} of them in the last of ${ROUNDS} rounds`,
        grown <= MEMORY_LIMIT_MIB && last <= PLATEAU_MIB,
        memory.join(', '),
      );
      stage.expect(
        'a quarter of a second later all is well',
        after.good === after.sent,
        JSON.stringify(after),
      );
      stage.note(
        `${calm.goodPerSecond}/s served before, ${crowded.goodPerSecond}/s under it with ${crowded.shed} shed, ${after.goodPerSecond}/s after; memory after each round ${memory.join(', ')} MiB`,
      );
    },
  },
];

function mebibytesOf(pid) {
  return Math.round(privateMemory(pid) / 2 ** 20);
}

function sumOf(rounds) {
  const sum = (of) => rounds.reduce((total, round) => total + of(round), 0);
  return {
    sent: sum(({ sent }) => sent),
    good: sum(({ good }) => good),
    shed: sum(({ shed }) => shed),
    other: rounds.map(({ other }) => other),
    goodPerSecond: Math.round(sum(({ goodPerSecond }) => goodPerSecond) / rounds.length),
  };
}
