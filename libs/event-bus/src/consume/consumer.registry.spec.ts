import 'reflect-metadata';

import type { CloudEvent } from '@gatehouse/contracts-platform';
import { Injectable, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';

import '../testing/bus/orders.ts';
import { ConsumerRegistry } from './consumer.registry.ts';
import { OnIntegrationEvent } from './on-integration-event.decorator.ts';

@Injectable()
class Subscriber {
  readonly seen: string[] = [];

  @OnIntegrationEvent('alpha.order.placed.v1', { consumer: 'one' })
  placed(event: CloudEvent): Promise<void> {
    this.seen.push(event.id);
    return Promise.resolve();
  }

  @OnIntegrationEvent('alpha.order.paid.v1', { consumer: 'one' })
  paid(): Promise<void> {
    return Promise.resolve();
  }
}

@Injectable()
class Again {
  @OnIntegrationEvent(['alpha.order.placed.v1'], { consumer: 'one' })
  placed(): Promise<void> {
    return Promise.resolve();
  }
}

@Injectable()
class Loud {
  @OnIntegrationEvent('alpha.order.placed.v1', { consumer: 'one', mode: 'broadcast' })
  placed(): Promise<void> {
    return Promise.resolve();
  }
}

const registryOf = async (...providers: Type[]) => {
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule],
    providers: [ConsumerRegistry, ...providers],
  }).compile();
  return { registry: module.get(ConsumerRegistry), module };
};

describe('the consumers of a service', () => {
  it('are gathered from its providers, one for each name', async () => {
    const { registry, module } = await registryOf(Subscriber);
    expect(registry.all()).toEqual([
      expect.objectContaining({ name: 'one', mode: 'group', topics: ['alpha.order'] }),
    ]);
    await registry.handlerOf('one', 'alpha.order.placed.v1')?.({ id: 'e1' } as CloudEvent);
    expect(module.get(Subscriber).seen).toEqual(['e1']);
    expect(registry.handlerOf('one', 'alpha.order.lost.v1')).toBeUndefined();
  });

  it('handle an event once each', async () => {
    const { registry } = await registryOf(Subscriber, Again);
    expect(() => registry.all()).toThrow('"one" handles alpha.order.placed.v1 twice');
  });

  it('have one mode', async () => {
    const { registry } = await registryOf(Subscriber, Loud);
    expect(() => registry.all()).toThrow('"one" is both group and broadcast');
  });

  it('have names that last: lower case, digits and dashes', () => {
    expect(() => OnIntegrationEvent('alpha.order.placed.v1', { consumer: 'End Sessions' })).toThrow(
      'not a consumer',
    );
  });
});
