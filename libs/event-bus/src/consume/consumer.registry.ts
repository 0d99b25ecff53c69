import { topicOf } from '@gatehouse/contracts-platform';
import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';

import type { Consumer, EventHandler } from './consumer.ts';
import {
  type ConsumerMode,
  type SubscriptionMetadata,
  subscriptionOf,
} from './on-integration-event.decorator.ts';

interface Draft {
  mode: ConsumerMode;
  handlers: Map<string, EventHandler>;
}

/** The consumers of the service, gathered from its providers. */
@Injectable()
export class ConsumerRegistry {
  private consumers: ReadonlyMap<string, Consumer> | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** @throws where two handlers of a consumer want the same event, or disagree on its mode */
  all(): readonly Consumer[] {
    this.consumers ??= this.gather();
    return [...this.consumers.values()];
  }

  handlerOf(consumer: string, type: string): EventHandler | undefined {
    this.consumers ??= this.gather();
    return this.consumers.get(consumer)?.handlers.get(type);
  }

  private gather(): ReadonlyMap<string, Consumer> {
    const drafts = new Map<string, Draft>();
    for (const { instance } of this.discovery.getProviders()) {
      if (typeof instance !== 'object' || instance === null) continue;
      const provider = instance as Record<string, EventHandler>;
      for (const method of this.scanner.getAllMethodNames(
        Object.getPrototypeOf(provider) as object,
      )) {
        const handler = provider[method];
        const metadata = handler && subscriptionOf(handler);
        if (metadata) add(drafts, metadata, (event) => handler.call(provider, event));
      }
    }
    return new Map(
      [...drafts].map(([name, { mode, handlers }]) => [
        name,
        { name, mode, handlers, topics: [...new Set([...handlers.keys()].map(topicOf))].sort() },
      ]),
    );
  }
}

function add(
  drafts: Map<string, Draft>,
  metadata: SubscriptionMetadata,
  handler: EventHandler,
): void {
  const { consumer, mode, types } = metadata;
  const draft = drafts.get(consumer) ?? { mode, handlers: new Map<string, EventHandler>() };
  drafts.set(consumer, draft);
  if (draft.mode !== mode) throw new Error(`Consumer "${consumer}" is both group and broadcast`);
  for (const type of types) {
    if (draft.handlers.has(type)) throw new Error(`Consumer "${consumer}" handles ${type} twice`);
    draft.handlers.set(type, handler);
  }
}
