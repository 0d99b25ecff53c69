import { Inject, Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import {
  type HealthCheckResult,
  HealthCheckService,
  HealthIndicatorService,
} from '@nestjs/terminus';

import { Lifecycle } from './lifecycle.ts';

type Check = () => Promise<void> | void;

/** What a check may take before it counts as failed. */
const CHECK_TIMEOUT_MS = 2000;

/**
 * Whether this process lives and whether it may be given work. Ready: started, not stopping, and every readiness check
 * passes. Checks throw to fail; they ask nothing of a peer, so that nothing deadlocks at start. Dependencies are shown
 * beside that and decide nothing: an engine that is lost while the process runs leaves every instance without it alike, and
 * taking them all out of service would help nobody.
 */
@Injectable()
export class Health {
  readonly #logger = new Logger(Health.name);
  readonly #liveness = new Map<string, Check>();
  readonly #readiness = new Map<string, Check>();
  readonly #dependencies = new Map<string, Check>();
  readonly #listeners = new Set<() => void>();
  #serving = false;

  constructor(
    @Inject(HealthCheckService) private readonly terminus: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
  ) {}

  addReadiness(name: string, check: Check): void {
    this.#readiness.set(name, check);
  }

  addLiveness(name: string, check: Check): void {
    this.#liveness.set(name, check);
  }

  /**
   * Shows an outside engine in the answer of `/health/ready`, by the engine's name in lower case (`kafka`). `check` throws
   * with what is wrong, also as long as it has not connected yet; it tells what the adapter knows, and asks little.
   */
  addDependency(name: string, check: Check): void {
    this.#dependencies.set(name, check);
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

  async ready(): Promise<HealthReport> {
    const [report, dependencies] = await Promise.all([
      this.#report(new Map([['lifecycle', () => this.#started()], ...this.#readiness])),
      this.#stateOfDependencies(),
    ]);
    return { ...report, body: { ...report.body, ...(dependencies && { dependencies }) } };
  }

  #started(): void {
    if (this.#serving) return;
    const { stopping, progress } = this.lifecycle;
    if (stopping) throw new Error('stopping');
    throw new Error(progress === undefined ? 'not started' : `starting: ${progress}`);
  }

  async #stateOfDependencies(): Promise<Record<string, DependencyState> | undefined> {
    if (this.#dependencies.size === 0) return undefined;
    const states: Record<string, DependencyState> = {};
    await Promise.all(
      [...this.#dependencies].map(async ([name, check]) => {
        states[name] = await stateOf(check);
      }),
    );
    return states;
  }

  async #report(checks: Map<string, Check>): Promise<HealthReport> {
    const indicators = [...checks].map(([name, check]) => async () => {
      const indicator = this.indicators.check(name);
      try {
        await withTimeout(check);
        return indicator.up();
      } catch (error) {
        this.#logger.warn({ err: error }, `health check ${name} fails`);
        return indicator.down(messageOf(error));
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

export interface DependencyState {
  status: 'up' | 'down';
  /** What is wrong. */
  message?: string;
}

/** An HTTP answer: 200 or 503, with what terminus found and, for readiness, the state of outside engines. */
export interface HealthReport {
  status: 200 | 503;
  body: HealthCheckResult & { dependencies?: Record<string, DependencyState> };
}

async function stateOf(check: Check): Promise<DependencyState> {
  try {
    await withTimeout(check);
    return { status: 'up' };
  } catch (error) {
    return { status: 'down', message: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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
