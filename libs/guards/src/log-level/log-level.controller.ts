import { Answers, LogLevel, type LogLevelState } from '@gatehouse/kernel';
import { Body, Controller, Delete, Get, HttpCode, Put, SetMetadata } from '@nestjs/common';

import { RateLimit } from '../decorators/rate-limit.decorator.ts';
import { LogLevelPeers } from './log-level.peers.ts';
import { type InstanceLevel, LogLevelBody, LogLevelsView } from './log-level.schemas.ts';

/** The log level of all instances of this service. Path, permissions and audited action: `LogLevelModule`. */
@Controller()
export class LogLevelController {
  constructor(
    private readonly level: LogLevel,
    private readonly peers: LogLevelPeers,
  ) {}

  @Get()
  @RateLimit({ limit: 60, per: '1m', by: 'principal' })
  @Answers(200, LogLevelsView, 'The log level of each instance')
  show() {
    return this.peers.ask({ method: 'GET' }, () => stateOf(this.level.state()));
  }

  @Put()
  @HttpCode(200)
  @RateLimit({ limit: 60, per: '1m', by: 'principal' })
  @Answers(200, LogLevelsView, 'The log level of each instance, as it is now')
  change(@Body({ schema: LogLevelBody }) body: LogLevelBody) {
    return this.peers.ask({ method: 'PUT', body }, () =>
      stateOf(this.level.change(body.level, body.for_seconds * 1000)),
    );
  }

  @Delete()
  @HttpCode(200)
  @RateLimit({ limit: 60, per: '1m', by: 'principal' })
  @Answers(200, LogLevelsView, 'The log level of each instance, which is LOG_LEVEL again')
  restore() {
    return this.peers.ask({ method: 'DELETE' }, () => stateOf(this.level.restore()));
  }
}

/** The log level of this process alone, for other instances of the same service: they have asked who may. */
@Controller()
@SetMetadata('swagger/apiExcludeController', [true])
export class LogLevelPeerController {
  constructor(private readonly level: LogLevel) {}

  @Get()
  show(): InstanceLevel {
    return stateOf(this.level.state());
  }

  @Put()
  @HttpCode(200)
  change(@Body({ schema: LogLevelBody }) body: LogLevelBody): InstanceLevel {
    return stateOf(this.level.change(body.level, body.for_seconds * 1000));
  }

  @Delete()
  @HttpCode(200)
  restore(): InstanceLevel {
    return stateOf(this.level.restore());
  }
}

function stateOf({ level, configured, until }: LogLevelState): InstanceLevel {
  return { level, configured_level: configured, until: until?.toISOString() ?? null };
}
