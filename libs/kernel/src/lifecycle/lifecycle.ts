import { Logger } from '@nestjs/common';

import { runStartStep, type StartStep } from './start-step.ts';

export const START_PHASES = [
  'database',
  'broker',
  'registry',
  'transports',
  'register',
  'ready',
] as const;
export type StartPhase = (typeof START_PHASES)[number];

export const STOP_PHASES = [
  'unready',
  'deregister',
  'drain',
  'close-listeners',
  'in-flight',
  'consumers',
  'flush',
  'close',
] as const;
export type StopPhase = (typeof STOP_PHASES)[number];

interface Step {
  name: string;
  run: () => Promise<void> | void;
}

/** A start function failed; the phase and its name are in the message, what it threw is the cause. */
export class StartFailed extends Error {
  override readonly name = 'StartFailed';

  constructor(phase: StartPhase, step: string, cause: unknown) {
    super(
      `start phase ${phase}, ${step}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/**
 * The order in which a process starts and stops. Libraries register in it from constructors or `onModuleInit`.
 *
 * Guarantees: phases run in the order of START_PHASES and STOP_PHASES. Within a phase, functions run one after the other:
 * at start as registered, at stop the last registered first. A start function that throws ends the start. A stop function
 * that throws is logged, and the stop goes on. `stop` runs once, however often it is called, and runs all its phases
 * whether or not the start got far; a start function that waits for an engine (`awaitEngine`) is then cut short.
 */
export class Lifecycle {
  readonly #logger = new Logger(Lifecycle.name);
  readonly #start = new Map<StartPhase, Step[]>();
  readonly #stop = new Map<StopPhase, Step[]>();
  readonly #stopping = new AbortController();
  #running: { phase: StartPhase; name: string; step: StartStep } | undefined;
  #starting: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  onStart(phase: StartPhase, name: string, run: Step['run']): void {
    this.#start.set(phase, [...(this.#start.get(phase) ?? []), { name, run }]);
  }

  onStop(phase: StopPhase, name: string, run: Step['run']): void {
    this.#stop.set(phase, [{ name, run }, ...(this.#stop.get(phase) ?? [])]);
  }

  /** True from the moment `stop` was called. */
  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** What the start is at, while it lasts: `broker, join Kafka: waiting for Kafka at ...`. */
  get progress(): string | undefined {
    if (this.#running === undefined) return undefined;
    const { phase, name, step } = this.#running;
    return `${phase}, ${name}${step.waitingFor === undefined ? '' : `: ${step.waitingFor}`}`;
  }

  /** @throws StartFailed */
  start(): Promise<void> {
    this.#starting ??= this.#runStart();
    return this.#starting;
  }

  stop(): Promise<void> {
    this.#stopping.abort();
    this.#stopped ??= this.#runStop();
    return this.#stopped;
  }

  async #runStart(): Promise<void> {
    for (const phase of START_PHASES) {
      for (const step of this.#start.get(phase) ?? []) {
        if (this.stopping) throw new StartFailed(phase, step.name, 'asked to stop meanwhile');
        const began = performance.now();
        const running: StartStep = { stopping: this.#stopping.signal };
        this.#running = { phase, name: step.name, step: running };
        try {
          await runStartStep(running, () => step.run());
        } catch (error) {
          throw new StartFailed(phase, step.name, error);
        } finally {
          this.#running = undefined;
        }
        const took = Math.round(performance.now() - began);
        this.#logger.debug(`start ${phase}: ${step.name} (${took} ms)`);
      }
    }
  }

  async #runStop(): Promise<void> {
    // What is being opened is opened first, then closed; the start goes no further than that.
    await this.#starting?.catch(() => undefined);
    for (const phase of STOP_PHASES) {
      for (const step of this.#stop.get(phase) ?? []) {
        try {
          await step.run();
          this.#logger.debug(`stop ${phase}: ${step.name}`);
        } catch (error) {
          this.#logger.error({ err: error }, `stop ${phase}: ${step.name} failed`);
        }
      }
    }
  }
}
