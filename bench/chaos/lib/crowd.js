import { Agent, request } from 'undici';

/**
 * So many callers, each on a connection of its own, each asking again as soon as it has its answer: who is not answered
 * keeps waiting, so that the number of callers is what presses. One that was shed comes again after `pauseMs`.
 * @returns {Promise<{ sent: number, good: number, shed: number, other: Record<string, number>, goodPerSecond: number }>}
 */
export async function crowd({ url, token, callers, seconds, pauseMs = 100 }) {
  const dispatcher = new Agent({ connections: callers, pipelining: 1, headersTimeout: 20_000 });
  const headers = { authorization: `Bearer ${token}` };
  const count = { sent: 0, good: 0, shed: 0, other: {} };
  const from = performance.now();
  const until = from + seconds * 1_000;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < until) {
        count.sent++;
        let pause = 0;
        try {
          const { statusCode, body } = await request(url, { dispatcher, headers });
          await body.dump();
          if (statusCode === 200) count.good++;
          else if (statusCode === 503 || statusCode === 429) {
            count.shed++;
            pause = pauseMs;
          } else note(count.other, statusCode);
        } catch (error) {
          note(count.other, error.code ?? error.message);
        }
        if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }),
  );
  const took = (performance.now() - from) / 1_000;
  await dispatcher.close();
  return { ...count, goodPerSecond: Math.round(count.good / took) };
}

function note(counts, what) {
  counts[what] = (counts[what] ?? 0) + 1;
}
