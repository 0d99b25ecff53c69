import { jest } from '@jest/globals';

import type { EventBroker, SubscribeOptions, Subscription } from '../broker/event-broker.ts';
import type { Consumer } from './consumer.ts';
import { EventConsumers } from './event-consumers.ts';

const consumer = (name: string, mode: Consumer['mode'] = 'group'): Consumer => ({
  name,
  mode,
  topics: ['alpha.order'],
  handlers: new Map(),
});

describe('the start of the consumers', () => {
  const start = (consumers: Consumer[], subscribe: EventBroker['subscribe']) =>
    new EventConsumers(
      { subscribe } as never,
      { all: () => consumers } as never,
      undefined as never,
      undefined as never,
      { name: 'beta' } as never,
      { EVENT_CONCURRENCY: 1 } as never,
      { knowConsumer: () => undefined } as never,
    ).start();

  it('joins all groups together: none waits until another has joined', async () => {
    const groups: (string | undefined)[] = [];
    const all = Promise.withResolvers<Subscription>();
    await start([consumer('one'), consumer('two'), consumer('all', 'broadcast')], ({ group }) => {
      groups.push(group);
      if (groups.length === 3) all.resolve({} as Subscription);
      return all.promise;
    });
    expect(groups).toEqual(['beta.one', 'beta.two', undefined]);
  });

  it('fails with the first failure, and not before the others have joined', async () => {
    const joined = jest.fn();
    const subscribe = async ({ group }: SubscribeOptions) => {
      if (group === 'beta.one') throw new Error('no right to it');
      await new Promise(setImmediate);
      joined();
      return {} as Subscription;
    };
    const starting = start([consumer('one'), consumer('two')], subscribe);
    await expect(starting).rejects.toThrow('no right to it');
    expect(joined).toHaveBeenCalledTimes(1);
  });
});
