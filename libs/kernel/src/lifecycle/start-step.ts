import { AsyncLocalStorage } from 'node:async_hooks';

/** The start function that is running, as what it calls sees it. */
export interface StartStep {
  /** Aborted when the process is asked to stop: nothing is waited for any longer. */
  readonly stopping: AbortSignal;
  /** What it waits for just now, for people who ask why the process is not ready. */
  waitingFor?: string | undefined;
}

const storage = new AsyncLocalStorage<StartStep>();

/** Undefined outside a start. */
export function currentStartStep(): StartStep | undefined {
  return storage.getStore();
}

export function runStartStep<T>(step: StartStep, run: () => T): T {
  return storage.run(step, run);
}
