import { setInterval, clearInterval } from 'node:timers';

const EVERY_MS = 100;

/** A load balancer before several gateways, as small as can be: in turn, to those whose health says ready. */
export class Front {
  #ready = [];
  #turn = 0;
  #timer;

  /** @param {import('@gatehouse/testing-platform').Instance[]} gateways */
  constructor(gateways) {
    this.gateways = gateways;
  }

  async start() {
    await this.#look();
    this.#timer = setInterval(() => void this.#look(), EVERY_MS);
    return this;
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** @throws where none is ready */
  get url() {
    const url = this.#ready[this.#turn++ % this.#ready.length];
    if (url === undefined) throw new Error('no gateway is ready');
    return url;
  }

  async #look() {
    const found = await Promise.all(
      this.gateways.map(async (gateway) => {
        try {
          const { status } = await fetch(`${gateway.adminUrl}/health/ready`, {
            signal: AbortSignal.timeout(1_000),
          });
          return status === 200 ? [gateway.httpUrl] : [];
        } catch {
          return [];
        }
      }),
    );
    this.#ready = found.flat();
  }
}
