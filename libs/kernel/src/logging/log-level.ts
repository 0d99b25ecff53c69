import { Injectable, Logger } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';

import { KernelConfig } from '../config/kernel.config.ts';

/** Levels that a running process may be set to. Not `silent`: a change is to show more, or less, but never nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];

export interface LogLevelState {
  /** That holds now. */
  level: string;
  /** LOG_LEVEL: what holds after `until` and after a restart. */
  configured: string;
  /** While the level was changed. */
  until?: Date;
}

/** The log level of this process. A change holds for a time, in this process alone, and ends with it. */
@Injectable()
export class LogLevel {
  readonly #logger = new Logger(LogLevel.name);
  #change: { timer: NodeJS.Timeout; until: Date } | undefined;

  constructor(private readonly config: KernelConfig) {}

  state(): LogLevelState {
    return {
      level: PinoLogger.root.level,
      configured: this.config.LOG_LEVEL,
      ...(this.#change && { until: this.#change.until }),
    };
  }

  /** From now on for `forMs`; a change that holds already is replaced. */
  change(level: LogLevelName, forMs: number): LogLevelState {
    clearTimeout(this.#change?.timer);
    const until = new Date(Date.now() + forMs);
    this.#change = { timer: setTimeout(() => this.restore(), forMs).unref(), until };
    this.#set(level);
    this.#logger.warn({ log_level: level, until: until.toISOString() }, 'log level changed');
    return this.state();
  }

  /** Back to LOG_LEVEL; nothing where no change holds. */
  restore(): LogLevelState {
    if (this.#change !== undefined) {
      this.#logger.warn({ log_level: this.config.LOG_LEVEL }, 'log level restored');
      this.#end();
    }
    return this.state();
  }

  #end(): void {
    if (this.#change === undefined) return;
    clearTimeout(this.#change.timer);
    this.#change = undefined;
    this.#set(this.config.LOG_LEVEL);
  }

  #set(level: string): void {
    PinoLogger.root.level = level;
  }
}
