import type {
  BatchOptions,
  BatchOutcome,
  BatchResult,
  DeadLetterFilter,
  DeadLetterSelection,
} from '@gatehouse/event-bus';
import { Answers } from '@gatehouse/kernel';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';

import { RateLimit } from '../decorators/rate-limit.decorator.ts';
import { RouteOptions } from '../decorators/route-options.decorator.ts';
import {
  type DeadLetterFilterBody,
  DeadLetterDetailView,
  DeadLetterId,
  DeadLetterPage,
  DeadLetterSelectionBody,
  DeadLettersQuery,
  DiscardBatchView,
  ReplayBatchView,
  ReplayView,
} from './dead-letters.schemas.ts';
import { recordedApart } from './recorded-apart.ts';

/** A handler may take as long as it likes below its own bound; the gateway waits for the last one that was begun. */
const REPLAY_TIMEOUT_MS = 45_000;
const BATCH_BUDGET_MS = 10_000;

/**
 * The dead letters of this service. Path, permissions and audited actions carry the service's name and are written on
 * this class by `EventOperationsModule`. The libraries beneath are loaded on demand: who imports guards without a schema
 * of its own (the gateway) does not load them.
 */
@Controller()
export class DeadLettersController {
  constructor(private readonly references: ModuleRef) {}

  @Get()
  @Answers(200, DeadLetterPage, 'Dead letters, oldest first')
  async list(@Query({ schema: DeadLettersQuery }) query: DeadLettersQuery) {
    const { page_size: size, page_token: token, ...filter } = query;
    const { letters, tokens } = await this.parts();
    const bound = ['dead letters', filter];
    const [after] = token === undefined ? [] : tokens.read(token, bound);
    const found = await letters.list({
      ...filterOf(filter),
      limit: size + 1,
      ...(after === undefined ? {} : { after }),
    });
    const items = found.slice(0, size);
    const last = items.at(-1);
    const more = found.length > size && last !== undefined;
    return { items, next_page_token: more ? tokens.issue([last.id], bound) : null };
  }

  @Get(':id')
  @Answers(200, DeadLetterDetailView, 'The dead letter')
  async get(@Param('id', { schema: DeadLetterId }) id: string) {
    const { letters } = await this.parts();
    return letters.get(id);
  }

  @Post('replay')
  @HttpCode(200)
  @RouteOptions({ timeoutMs: REPLAY_TIMEOUT_MS })
  @RateLimit({ limit: 60, per: '1m', by: 'principal' })
  @Answers(200, ReplayBatchView, 'Each was tried once more, in order')
  replayMany(@Body({ schema: DeadLetterSelectionBody }) body: DeadLetterSelectionBody) {
    return this.many('replay', body);
  }

  @Post('discard')
  @HttpCode(200)
  @RouteOptions({ timeoutMs: REPLAY_TIMEOUT_MS })
  @RateLimit({ limit: 60, per: '1m', by: 'principal' })
  @Answers(200, DiscardBatchView, 'They count as taken; the events behind them follow')
  discardMany(@Body({ schema: DeadLetterSelectionBody }) body: DeadLetterSelectionBody) {
    return this.many('discard', body);
  }

  @Post(':id/replay')
  @HttpCode(200)
  @RouteOptions({ timeoutMs: REPLAY_TIMEOUT_MS })
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

  private async many(what: 'replay' | 'discard', body: DeadLetterSelectionBody) {
    const { batch, tokens, trail, service } = await this.parts();
    const options: BatchOptions = {
      withinMs: BATCH_BUDGET_MS,
      around: (id, work) =>
        recordedApart<BatchOutcome>(
          trail,
          { action: `${service.namespace}.dead-letter.${what}`, id },
          work,
        ),
    };
    const { ids, filter = {}, limit, page_token: token } = body;
    if (ids !== undefined) return answerOf(await batch[what]({ ids }, options));
    const bound = ['dead letters to work on', filter];
    const [after] = token === undefined ? [] : tokens.read(token, bound);
    const selection: DeadLetterSelection = {
      filter: filterOf(filter),
      limit,
      ...(after === undefined ? {} : { after }),
    };
    const result = await batch[what](selection, options);
    return answerOf(result, (place) => tokens.issue([place], bound));
  }

  private async parts() {
    const { eventOperationsParts } = await import('./event-operations.parts.ts');
    return eventOperationsParts(this.references);
  }
}

function filterOf(filter: DeadLetterFilterBody): DeadLetterFilter {
  const { consumer, type, reason, failed_from: from, failed_before: before } = filter;
  return {
    ...(consumer === undefined ? {} : { consumer }),
    ...(type === undefined ? {} : { type }),
    ...(reason === undefined ? {} : { reason }),
    ...(from === undefined ? {} : { failedFrom: new Date(from) }),
    ...(before === undefined ? {} : { failedBefore: new Date(before) }),
  };
}

function answerOf({ items, after }: BatchResult, token?: (place: string) => string) {
  return { items, next_page_token: after !== undefined && token ? token(after) : null };
}
