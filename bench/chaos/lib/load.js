import { setTimeout as sleep } from 'node:timers/promises';

/** How long a caller waits for an answer. Longer than any deadline inside, so that the platform answers first. */
const PATIENCE_MS = 20_000;
/** Journeys under way at once; one that would be the next is not begun, and counted. */
const MAX_UNDER_WAY = 1_000;

/**
 * @typedef {object} Sample one request and what became of it
 * @property {string} name what was asked for
 * @property {number} at when it was sent, in milliseconds of `performance.now()`
 * @property {number} took milliseconds
 * @property {number} status 0 where there was no answer
 * @property {'good' | 'busy' | 'bad' | 'wrong' | 'none'} verdict good: as expected; busy: 429, or 503 with Retry-After; bad:
 *   another 5xx; wrong: anything else; none: no answer, a reset among them
 * @property {string} [detail] of what is not good
 */

/**
 * An open loop: journeys begin at a steady rate, whatever became of those before. A closed loop would ask less of a
 * platform that is slow, and so hide it.
 */
export class Load {
  /** @type {Sample[]} */
  samples = [];
  notBegun = 0;
  #underWay = new Set();
  #running;
  #stopping = false;

  /**
   * @param {{ rate: number, journey: (send: Load['send']) => Promise<void>, front?: import('./front.js').Front }} options
   *   journeys a second, and one of them; `front`: where to send instead of the client's own address
   */
  constructor({ rate, journey, front }) {
    this.front = front;
    this.rate = rate;
    this.journey = journey;
  }

  start() {
    this.#running = this.#run();
    return this;
  }

  /** Lets what is under way finish. */
  async stop() {
    this.#stopping = true;
    await this.#running;
    await Promise.all(this.#underWay);
  }

  /**
   * Sends a request and notes what became of it. Never rejects.
   * @param {string} name
   * @param {import('@gatehouse/testing-platform').TestClient} client
   * @param {{ method?: string, path: string, body?: unknown, headers?: Record<string, string>, expect?: number[] }} request
   * @returns {Promise<{ ok: boolean, status: number, headers: Headers, body: any }>}
   */
  send = async (name, client, { method = 'GET', path, body, headers = {}, expect = [200] }) => {
    const at = performance.now();
    const sample = { name, at, took: 0, status: 0, verdict: 'none' };
    let answer = { ok: false, status: 0, headers: new Headers(), body: undefined };
    try {
      const response = await client.fetch(this.front ? this.front.url + path : path, {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await response.text();
      const ok = expect.includes(response.status);
      sample.status = response.status;
      sample.verdict = ok ? 'good' : verdictOf(response);
      if (!ok) sample.detail = text.slice(0, 300);
      const json = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
      answer = {
        ok,
        status: response.status,
        headers: response.headers,
        body: json && text !== '' ? JSON.parse(text) : text,
      };
    } catch (error) {
      sample.detail = `${error.name}: ${error.message} ${error.cause?.code ?? ''}`.trim();
    }
    sample.took = performance.now() - at;
    this.samples.push(sample);
    return answer;
  };

  async #run() {
    const began = performance.now();
    for (let turn = 0; !this.#stopping; turn++) {
      const due = began + (turn * 1000) / this.rate;
      await sleep(Math.max(0, due - performance.now()));
      if (this.#underWay.size >= MAX_UNDER_WAY) {
        this.notBegun++;
        continue;
      }
      const journey = this.journey(this.send).finally(() => this.#underWay.delete(journey));
      this.#underWay.add(journey);
    }
  }
}

function verdictOf(response) {
  if (response.status === 429) return 'busy';
  if (response.status === 503 && response.headers.has('retry-after')) return 'busy';
  return response.status >= 500 ? 'bad' : 'wrong';
}

export const isGood = ({ verdict }) => verdict === 'good';
export const isNotGood = (sample) => !isGood(sample);

/** The value below which the share `q` of the numbers lies; 0 where there are none. */
export function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

/** How many of each, most first: `{ 'update 503': 3 }`. */
export function tally(samples) {
  const counts = new Map();
  for (const { name, status, detail = '' } of samples) {
    const what = status === 0 ? `${name}: ${detail}` : `${name} ${status}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([what, count]) => `${count}x ${what}`)
    .join(', ');
}
