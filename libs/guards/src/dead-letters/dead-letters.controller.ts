import { Answers } from '@gatehouse/kernel';
import { Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';

import {
  DeadLetterId,
  DeadLetterPage,
  DeadLettersQuery,
  ReplayView,
} from './dead-letters.schemas.ts';

/**
 * The dead letters of this service. Path, permissions and audited actions carry the service's name and are written on
 * this class by `DeadLettersModule`. The libraries beneath are loaded on demand: who imports guards without a schema of
 * its own (the gateway) does not load them.
 */
@Controller()
export class DeadLettersController {
  constructor(private readonly references: ModuleRef) {}

  @Get()
  @Answers(200, DeadLetterPage, 'Dead letters, oldest first')
  async list(@Query({ schema: DeadLettersQuery }) query: DeadLettersQuery) {
    const { page_size: size, page_token: token, consumer } = query;
    const { letters, tokens } = await this.parts();
    const bound = ['dead letters', consumer ?? null];
    const [after] = token === undefined ? [] : tokens.read(token, bound);
    const found = await letters.list({
      limit: size + 1,
      ...(consumer === undefined ? {} : { consumer }),
      ...(after === undefined ? {} : { after }),
    });
    const items = found.slice(0, size);
    const last = items.at(-1);
    const more = found.length > size && last !== undefined;
    return { items, next_page_token: more ? tokens.issue([last.id], bound) : null };
  }

  @Post(':id/replay')
  @HttpCode(200)
  @Answers(200, ReplayView, 'It was tried once more')
  async replay(@Param('id', { schema: DeadLetterId }) id: string) {
    const { letters } = await this.parts();
    return { outcome: await letters.replay(id) };
  }

  @Delete(':id')
  @HttpCode(204)
  @Answers(204, undefined, 'It counts as taken; the events behind it follow')
  async discard(@Param('id', { schema: DeadLetterId }) id: string): Promise<void> {
    const { letters } = await this.parts();
    await letters.discard(id);
  }

  private async parts() {
    const { deadLetterParts } = await import('./dead-letters.parts.ts');
    return deadLetterParts(this.references);
  }
}
