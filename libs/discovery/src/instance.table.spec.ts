import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ServiceInstance } from './documents/instance.entry.ts';
import { InstanceTable, LEASE_MS } from './instance.table.ts';

describe('InstanceTable', () => {
  let clock: number;
  let table: InstanceTable;
  const a = instance('a');
  const b = instance('b');

  beforeEach(() => {
    clock = 1_000_000;
    table = new InstanceTable(() => clock);
  });

  /** A poll a second for `seconds`, each with these. */
  const poll = (seconds: number, ...found: ServiceInstance[]): void => {
    for (let second = 0; second < seconds; second++) {
      clock += 1000;
      read(...found);
    }
  };
  const read = (...found: ServiceInstance[]) =>
    table.replace(
      found.map((each) => ({ instance: each, remainingMs: LEASE_MS })),
      [],
      clock,
    );
  const ids = (): string[] => table.all().map((each) => each.instanceId);

  it('drops an instance with the first read that does not list it', () => {
    poll(2, a, b);
    poll(1, b);
    expect(ids()).toEqual(['b']);
  });

  it('counts a lease from the beginning of the read, so that it never outlives the store’s', () => {
    table.replace([{ instance: a, remainingMs: 2_000 }], [], clock - 500);
    clock += 1_499;
    table.expire();
    expect(ids()).toEqual(['a']);
    clock += 1;
    expect(table.nextExpiryMs()).toBe(0);
    table.expire();
    expect(ids()).toEqual([]);
  });

  it('lets nobody’s lease run out while the registry cannot be read', () => {
    poll(3, a);
    table.readFailed();
    clock += 30 * 60_000;
    table.expire();
    expect(ids()).toEqual(['a']);
  });

  it('nor while this process was stopped itself', () => {
    poll(3, a);
    clock += 60_000;
    table.expire();
    expect(ids()).toEqual(['a']);
  });

  it('still lets a signature expire while the registry is away', () => {
    poll(1, a);
    table.readFailed();
    clock += 61 * 60_000;
    table.expire();
    expect(ids()).toEqual([]);
  });

  it('gives those missing from a registry that came back empty one lease to register again', () => {
    poll(1, a, b);
    table.readFailed();
    clock += 30_000;
    read();
    expect(ids()).toEqual(['a', 'b']);
    poll(3, a);
    expect(ids()).toEqual(['b', 'a'].sort());
    poll(8, a);
    expect(ids()).toEqual(['a']);
  });

  it('drops at once what was seen again after the outage and then left', () => {
    poll(1, a, b);
    table.readFailed();
    read(a, b);
    poll(1, a);
    expect(ids()).toEqual(['a']);
  });

  it('does not prolong the grace of one outage by the next', () => {
    poll(1, a, b);
    for (let outage = 0; outage < 6; outage++) {
      table.readFailed();
      clock += 1_000;
      read(a);
      clock += 1_000;
      read(a);
    }
    expect(ids()).toEqual(['a']);
  });

  it('drops what a read refused at once, outage or not', () => {
    poll(1, a, b);
    table.readFailed();
    table.replace([{ instance: b, remainingMs: LEASE_MS }], [a], clock);
    expect(ids()).toEqual(['b']);
  });

  it('says whether anything changed', () => {
    expect(read(a)).toBe(true);
    expect(read(a)).toBe(false);
    expect(read(instance('a'))).toBe(true);
    expect(table.drop((each) => each.instanceId === 'x')).toBe(false);
    expect(table.drop(() => true)).toBe(true);
  });
});

function instance(instanceId: string): ServiceInstance {
  return {
    service: 'orders',
    instanceId,
    version: '1',
    signedAt: new Date(),
    expiresAt: new Date(Date.now() + 3_600_000),
  };
}
