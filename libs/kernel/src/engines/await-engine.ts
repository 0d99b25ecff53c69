import { setTimeout as sleep } from 'node:timers/promises';

import { Logger } from '@nestjs/common';

import { currentStartStep } from '../lifecycle/start-step.ts';

/** An outside program that this process needs, as messages name it. */
export interface EngineAddress {
  /** `Kafka` */
  engine: string;
  /** The environment variable that says where it is: `KAFKA_BROKERS`. */
  variable: string;
  /** Where that is, without credentials. */
  address: string;
}

export interface AwaitEngineOptions extends EngineAddress {
  /** How long an engine that does not answer is waited for; see ENGINE_WAIT_SECONDS. */
  withinMs: number;
  /**
   * What waiting cannot mend: refused credentials, a certificate nobody trusts, a name that does not resolve, an address
   * at which something else answers. Returns what is wrong and with which variable (`KAFKA_PASSWORD is refused`);
   * undefined while the engine may only be late.
   */
  refusal: (error: unknown) => string | undefined;
}

/** The engine cannot be used, and the message says which variable to look at. Stops the start. */
export class EngineUnusable extends Error {
  override readonly name = 'EngineUnusable';
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;
const SAY_EVERY_MS = 5_000;

/**
 * Tries `connect` until it works. An engine that is not there yet is waited for, with a line in the log at once and every
 * five seconds, and shown by `/health/ready`; one that refuses this process ends the start at once. Asked to stop, the
 * process waits no longer.
 * @throws EngineUnusable naming engine, variable and address
 */
export async function awaitEngine<T>(
  connect: () => Promise<T>,
  options: AwaitEngineOptions,
): Promise<T> {
  const { engine, variable, address, withinMs, refusal } = options;
  const logger = new Logger('Engines');
  const step = currentStartStep();
  const began = performance.now();
  let saidAt = -Infinity;
  for (let attempt = 0; ; attempt++) {
    try {
      const connected = await connect();
      if (saidAt > -Infinity) logger.log(`${engine} at ${address} answers`);
      if (step !== undefined) step.waitingFor = undefined;
      return connected;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const refused = refusal(error);
      if (refused !== undefined) {
        throw new EngineUnusable(
          `${engine} at ${address} (${variable}) cannot be used: ${refused}: ${why}`,
          { cause: error },
        );
      }
      const waited = performance.now() - began;
      if (waited >= withinMs) {
        throw new EngineUnusable(
          `${engine} does not answer at ${address} (${variable}), waited ${Math.round(waited / 1000)} s: ${why}`,
          { cause: error },
        );
      }
      const waiting = `waiting for ${engine} at ${address} (${variable}): ${why}`;
      if (step !== undefined) step.waitingFor = waiting;
      if (performance.now() - saidAt >= SAY_EVERY_MS) {
        saidAt = performance.now();
        logger.warn(waiting);
      }
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
      const signal = step?.stopping;
      await sleep(Math.min(pause, withinMs - waited), undefined, { ...(signal && { signal }) });
    }
  }
}
