import { Lifecycle } from '@gatehouse/kernel';
import { Injectable, Logger } from '@nestjs/common';

import { RegistrationCompletion } from './registration-completion.ts';
import { RegistrationStore } from './registration.store.ts';

const EVERY_MS = 5000;
const BATCH = 20;

/** Finishes registrations that a crash or an absent Identity left pending. Every instance sweeps; a row is one's at a time. */
@Injectable()
export class RegistrationSweeper {
  private readonly logger = new Logger(RegistrationSweeper.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<number> | undefined;

  constructor(
    private readonly registrations: RegistrationStore,
    private readonly completion: RegistrationCompletion,
    lifecycle: Lifecycle,
  ) {
    lifecycle.onStart('ready', 'sweep registrations', () => {
      this.timer = setInterval(() => void this.sweep(), EVERY_MS).unref();
    });
    lifecycle.onStop('consumers', 'sweep registrations', async () => {
      clearInterval(this.timer);
      await this.running;
    });
  }

  /** @returns how many were ended */
  sweep(): Promise<number> {
    this.running ??= this.run().finally(() => (this.running = undefined));
    return this.running;
  }

  private async run(): Promise<number> {
    let ended = 0;
    try {
      for (const registration of await this.registrations.takeDue(BATCH)) {
        const outcome = await this.completion.finish(registration);
        ended += 1;
        this.logger.log(
          { user_id: registration.userId, outcome },
          'ended a registration left over',
        );
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'a registration could not be ended; trying again later');
    }
    return ended;
  }
}
