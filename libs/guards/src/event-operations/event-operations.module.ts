import type { BatchResult } from '@gatehouse/event-bus';
import { ServiceInfo } from '@gatehouse/kernel';
import { Module, type Type } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';

import { Access } from '../decorators/access.decorators.ts';
import { Audit, type AuditedOptions } from '../decorators/audited.decorator.ts';
import { DeadLettersController } from './dead-letters.controller.ts';
import { EventsController } from './events.controller.ts';

/**
 * Serves what operators need of the service's bus, decided for the platform:
 * - `/v1/<service>/events/{topics,consumers,parked-keys,outbox}`, with `<namespace>.events.read`
 * - `/v1/<service>/dead-letters`: list, show, replay and discard, one or many, with
 *   `<namespace>.dead-letter.{read,replay,discard}`
 *
 * Imported by services on the event bus.
 */
@Module({ controllers: [EventsController, DeadLettersController] })
export class EventOperationsModule {
  /** Modules are made before routes are registered, and only then is the service's name known. */
  constructor({ name, namespace }: ServiceInfo) {
    Reflect.defineMetadata(PATH_METADATA, `v1/${name}/events`, EventsController);
    const see = {
      permission: `${namespace}.events.read`,
      description: 'See topics, consumers, parked keys and the outbox of this service',
    };
    for (const method of ['topics', 'consumers', 'outbox', 'parkedKeys'] as const) {
      allow(EventsController, method, see);
    }

    Reflect.defineMetadata(PATH_METADATA, `v1/${name}/dead-letters`, DeadLettersController);
    const letters = (what: 'read' | 'replay' | 'discard', verb: string) => ({
      permission: `${namespace}.dead-letter.${what}`,
      description: `${verb} dead letters of this service`,
    });
    allow(DeadLettersController, 'list', letters('read', 'Read'));
    allow(DeadLettersController, 'get', letters('read', 'Read'));
    allow(DeadLettersController, 'replay', letters('replay', 'Replay'), {});
    allow(DeadLettersController, 'discard', letters('discard', 'Discard'), {});
    allow(DeadLettersController, 'replayMany', letters('replay', 'Replay'), ofMany);
    allow(DeadLettersController, 'discardMany', letters('discard', 'Discard'), ofMany);
  }
}

/** Each letter has its own entry; this is the call's. */
const ofMany: AuditedOptions<BatchResult> = {
  metadata: (result, { body }) => ({
    asked: withoutPage(body),
    outcomes: result && counted(result.items.map(({ outcome }) => outcome)),
  }),
};

/** Where a filter goes on is of no use to whoever reads the entry, and nobody's to repeat. */
function withoutPage(body: unknown): object {
  const { page_token: _page, ...asked } = (body ?? {}) as { page_token?: unknown };
  return asked;
}

function counted(outcomes: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    [...Map.groupBy(outcomes, (outcome) => outcome)].map(([outcome, all]) => [outcome, all.length]),
  );
}

function allow<C extends object>(
  controller: Type<C>,
  method: keyof C & string,
  { permission, description }: { permission: string; description: string },
  audited?: AuditedOptions<BatchResult>,
): void {
  const rule = { kind: 'permission', permission, scope: 'platform', description };
  const handler = (controller.prototype as C)[method] as object;
  Reflect.defineMetadata(Access.KEY, rule, handler);
  if (audited) Reflect.defineMetadata(Audit.KEY, { ...audited, action: permission }, handler);
}
