import { Inject, Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import {
  type HealthCheckResult,
  HealthCheckService,
  HealthIndicatorService,
} from '@nestjs/terminus';

type Check = () => Promise<void> | void;

/** What a check may take before it counts as failed. */
const CHECK_TIMEOUT_MS = 2000;

/**
 * Whether this process lives and whether it may be given work. Ready: started, not stopping, and every readiness check
 * passes. Checks throw to fail; they ask nothing of a peer, so that nothing deadlocks at start.
 */
@Injectable()
export class Health {
  readonly #logger = new Logger(Health.name);
  readonly #liveness = new Map<string, Check>();
  readonly #readiness = new Map<string, Check>();
  readonly #listeners = new Set<() => void>();
  #serving = false;

  constructor(
    @Inject(HealthCheckService) private readonly terminus: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
  ) {}

  addReadiness(name: string, check: Check): void {
    this.#readiness.set(name, check);
  }

  addLiveness(name: string, check: Check): void {
    this.#liveness.set(name, check);
  }

  /** Started, and not asked to stop. */
  get serving(): boolean {
    return this.#serving;
  }

  set serving(serving: boolean) {
    this.#serving = serving;
    for (const listener of this.#listeners) listener();
  }

  /** Calls back whenever `serving` changes; returns how to end that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  live(): Promise<HealthReport> {
    return this.#report(this.#liveness);
  }

  ready(): Promise<HealthReport> {
    const started: Check = () => {
      if (!this.#serving) throw new Error('not started, or stopping');
    };
    return this.#report(new Map([['lifecycle', started], ...this.#readiness]));
  }

  async #report(checks: Map<string, Check>): Promise<HealthReport> {
    const indicators = [...checks].map(([name, check]) => async () => {
      const indicator = this.indicators.check(name);
      try {
        await withTimeout(check);
        return indicator.up();
      } catch (error) {
        this.#logger.warn({ err: error }, `health check ${name} fails`);
        return indicator.down(error instanceof Error ? error.message : String(error));
      }
    });
    try {
      return { status: 200, body: await this.terminus.check(indicators) };
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      return { status: 503, body: error.getResponse() as HealthCheckResult };
    }
  }
}

/** An HTTP answer: 200 or 503, with what terminus found. */
export interface HealthReport {
  status: 200 | 503;
  body: HealthCheckResult;
}

async function withTimeout(check: Check): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`));
    }, CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), late]);
  } finally {
    clearTimeout(timer);
  }
}
