import { setTimeout as sleep } from 'node:timers/promises';
import { startPlatform } from '@gatehouse/testing-platform';
import pg from 'pg';
import { Cast } from './cast.js';
import { countEffects } from './effects.js';
import { Front } from './front.js';
import { Journeys } from './journeys.js';
import { Ledger } from './ledger.js';
import { isGood, isNotGood, Load, tally } from './load.js';
import { verify } from './verify.js';

/** Nobody's limit but the machine's: the load comes from one machine and few people. */
const NO_LIMITS = {
  GATEWAY_ADDRESS_LIMIT: '1000000',
  GATEWAY_PRINCIPAL_LIMIT: '1000000',
};
/** How long before the fault, so that connections, caches and views are warm. */
const WARM_UP_MS = 3_000;
/** All answers good for so long counts as recovered; the fault may show again after that, which is then counted too. */
const STEADY_MS = 3_000;

/**
 * What a row is given: a platform of its own with people at work in it, the hands to break things, and a place for what is
 * found. A row that never says `expect` has proven only what is proven of all: nothing acknowledged lost, nothing doubled.
 */
export class Stage {
  checks = [];
  ledger = new Ledger();
  platform;
  cast;
  load;
  recoverMs;
  notes = [];
  #faultEnded;
  #within;
  #closing = [];
  #settings;

  /**
   * @param {{ profile: string, short: boolean, rate: number, ground: import('./ground.js').Ground, print: (line: string) => void }} settings
   */
  constructor(settings) {
    this.#settings = settings;
  }

  get short() {
    return this.#settings.short;
  }

  /** PostgreSQL, and in the scale profile the engines. */
  get ground() {
    return this.#settings.ground;
  }

  /** The first in the short form. */
  seconds(short, long) {
    return this.short ? short : long;
  }

  /** As `startPlatform`; with its cast, and effects counted. @returns itself, to take what is needed */
  async open({ env = {}, envOf = {}, ...options } = {}) {
    this.platform = await startPlatform({
      ...this.ground.platformOptions,
      ...options,
      env: { LOG_LEVEL: 'warn', ...env },
      envOf: { ...envOf, gateway: { ...NO_LIMITS, ...envOf.gateway } },
    });
    this.platform.session = () => this.session();
    await countEffects(this.platform);
    this.cast = await Cast.make(this.platform);
    this.wire = await this.ground.wireOf(this.platform);
    return this;
  }

  /** Called after the platform has ended; the last one first. */
  onClose(work) {
    this.#closing.unshift(work);
  }

  /** From here on requests go to all gateways in turn, as far as they are ready. */
  async behindFront() {
    const gateways = [this.platform.instance('gateway', 0), this.platform.instance('gateway', 1)];
    this.front = await new Front(gateways).start();
    this.onClose(() => this.front.stop());
  }

  /** A superuser's connection of its own to the platform's database. */
  async session() {
    const client = new pg.Client({ connectionString: this.platform.databaseUrl });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** People at work while `work` runs, and before it for a while. */
  async underLoad(work, { rate = this.#settings.rate } = {}) {
    const journeys = new Journeys(this.cast, this.ledger);
    this.load = new Load({ rate, journey: journeys.next, front: this.front }).start();
    try {
      await sleep(WARM_UP_MS);
      const before = this.samplesFrom(0);
      this.expect(
        'all is well before the fault',
        before.every(isGood),
        tally(before.filter(isNotGood)),
      );
      await work();
    } finally {
      await this.load.stop();
    }
    this.expect(
      'the load was what it should be',
      this.load.notBegun === 0,
      `${this.load.notBegun} journeys were not begun: too many were under way`,
    );
  }

  /** From here on things should become well. */
  faultEnds() {
    this.#faultEnded = performance.now();
  }

  /**
   * Waits until all has been well for a while, and judges how long that took since `faultEnds`.
   * @param {number} withinMs how long recovery may take
   */
  async untilSteady(withinMs) {
    const giveUp = performance.now() + withinMs + STEADY_MS + 5_000;
    const steady = () => {
      const recent = this.samplesFrom(performance.now() - STEADY_MS);
      return recent.length >= 5 && recent.every(isGood);
    };
    await sleep(STEADY_MS);
    while (!steady() && performance.now() < giveUp) await sleep(100);
    this.#within = withinMs;
  }

  /** Whatever the row has done: everything acknowledged is there, once. */
  async settle(options) {
    if (this.#faultEnded !== undefined) {
      const bad = this.samplesFrom(this.#faultEnded).filter(isNotGood);
      this.recoverMs = Math.max(0, ...bad.map(({ at }) => at - this.#faultEnded));
      if (this.#within !== undefined) {
        this.expect(
          `all well again within ${this.#within / 1_000} s`,
          this.recoverMs <= this.#within,
          `${(this.recoverMs / 1_000).toFixed(1)} s; ${tally(bad)}`,
        );
      }
    }
    this.found = await verify(this.platform, this.ledger, this.wire, options);
    const { lost, doubled } = this.found;
    this.expect('nothing acknowledged is lost', lost.length === 0, some(lost));
    this.expect('no effect is doubled', doubled.length === 0, some(doubled));
    const wrong = (this.load?.samples ?? []).filter(({ verdict }) => verdict === 'wrong');
    this.expect('nobody is answered what is not so (4xx)', wrong.length === 0, withDetail(wrong));
  }

  /** From the event of a deactivation to its effect in Auth, the longest there was, in milliseconds. */
  async slowestEffectMs() {
    const effects = await this.platform.database('chaos')(
      `SELECT subject, at FROM effects WHERE kind = 'disabled'`,
    );
    const at = new Map(effects.map((effect) => [effect.subject, effect.at.getTime()]));
    const took = (await this.wire.events())
      .filter(({ type, subject }) => type === 'identity.user.deactivated.v1' && at.has(subject))
      .map(({ subject, time }) => at.get(subject) - Date.parse(time));
    return Math.max(0, ...took);
  }

  /** Requests sent from `from` on, up to `until`, that have been answered or given up. */
  samplesFrom(from, until = Infinity) {
    return (this.load?.samples ?? []).filter(({ at }) => at >= from && at < until);
  }

  /** A criterion of the row. The detail is shown where it is not met. */
  expect(what, ok, detail = '') {
    this.checks.push({ what, ok, detail: ok ? '' : detail });
    this.#settings.print(`  ${ok ? 'ok  ' : 'FAIL'} ${what}${ok || !detail ? '' : `: ${detail}`}`);
  }

  /** What is worth knowing beside the criteria. */
  note(text) {
    this.notes.push(text);
    this.#settings.print(`       ${text}`);
  }

  async close() {
    await this.load?.stop();
    await this.wire?.close();
    await this.platform?.stop();
    for (const work of this.#closing.splice(0)) await work();
  }
}

function some(items) {
  const shown = items.slice(0, 5).join('; ');
  return items.length > 5 ? `${items.length}: ${shown}; ...` : shown;
}

export function withDetail(samples) {
  return some(samples.map(({ name, status, detail = '' }) => `${name} ${status} ${detail}`));
}
