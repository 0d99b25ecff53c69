import { ServiceUnavailable } from '@gatehouse/contracts-platform';
import { afterEach, describe, expect, it } from '@jest/globals';

import { RevocationView } from '../authentication/revocation-view.ts';
import type { Revocation } from '../authentication/revocation.source.ts';
import { FakeRevocationSource } from '../testing/fake-sources.ts';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const token = (id: string, sessionId = 's', clientId = 'c') => ({
  principal: { id, sessionId, clientId },
});
const subject = (number: number, id: string, revoked: boolean): { change: Revocation } => ({
  change: { number, item: 'subject', id, revoked },
});

describe('a followed view', () => {
  let view: RevocationView;
  const start = (options: ConstructorParameters<typeof RevocationView>[1] = {}) => {
    const source = new FakeRevocationSource();
    view = new RevocationView(source, { silenceMs: 60_000, openMs: 60_000, ...options });
    view.start();
    return source.streams;
  };
  afterEach(() => view.stop());

  it('is 503 until the first heartbeat marks the snapshot as whole', async () => {
    const streams = start();
    const stream = await streams.nth(1);
    stream.send(subject(1, 'a', true));
    await sleep(10);
    expect(view.ready()).toBe(false);
    expect(() => view.isRevoked(token('a'))).toThrow(ServiceUnavailable);
    stream.send({ head: 1 });
    await view.whenReady();
    expect(view.isRevoked(token('a'))).toBe('subject');
    expect(view.isRevoked(token('b'))).toBe('no');
  });

  it('keeps the highest number of an item, in whatever order the states arrive', async () => {
    const stream = await start().nth(1);
    stream.send(
      subject(5, 'a', true),
      subject(4, 'a', false),
      subject(6, 'b', false),
      subject(3, 'b', true),
    );
    stream.send({ head: 6 });
    await view.whenReady();
    expect(view.isRevoked(token('a'))).toBe('subject');
    expect(view.isRevoked(token('b'))).toBe('no');
  });

  it('clears a disabled subject when it is enabled again', async () => {
    const stream = await start().nth(1);
    stream.send(subject(1, 'a', true), { head: 1 });
    await view.whenReady();
    stream.send(subject(2, 'a', false), { head: 2 });
    await sleep(10);
    expect(view.isRevoked(token('a'))).toBe('no');
  });

  it('asks another instance when three heartbeats are missing, from the last heartbeat on', async () => {
    const streams = start({ silenceMs: 60 });
    const first = await streams.nth(1);
    first.send(subject(7, 'a', true), { head: 7 }, subject(8, 'b', true));
    const began = performance.now();
    const second = await streams.nth(2);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(second.after).toBe(7);
    expect(first.signal.aborted).toBe(true);
    // What is known still serves meanwhile.
    expect(view.isRevoked(token('a'))).toBe('subject');
  });

  it('asks again at once when a stream fails, and with pauses when it goes on failing', async () => {
    const streams = start();
    (await streams.nth(1)).fail(new Error('reset'));
    (await streams.nth(2)).fail(new Error('reset'));
    const third = await streams.nth(3);
    third.send({ head: 3 });
    await view.whenReady();
    expect(view.revision).toBe(3);
  });

  it('is 503 when it heard nothing for longer than its bound, and then asks for everything anew', async () => {
    const streams = start({ maxStalenessMs: 80, silenceMs: 40, openMs: 40 });
    const first = await streams.nth(1);
    first.send(subject(5, 'a', true), { head: 5 });
    await view.whenReady();
    await sleep(120);
    expect(() => view.isRevoked(token('a'))).toThrow(ServiceUnavailable);
    expect(view.staleness).toBeGreaterThan(80);
    let count = streams.opened.length;
    while ((await streams.nth(count)).after !== 0) count += 1;
    (await streams.nth(count)).send({ head: 9 });
    await view.whenReady();
    expect(view.isRevoked(token('a'))).toBe('no');
  });

  it('asks for everything anew when history went backwards', async () => {
    const streams = start();
    (await streams.nth(1)).send(subject(90, 'a', true), { head: 90 }, { head: 12 });
    const second = await streams.nth(2);
    expect(second.after).toBe(0);
    expect(() => view.isRevoked(token('b'))).toThrow(ServiceUnavailable);
    second.send(subject(11, 'b', true), { head: 12 });
    await view.whenReady();
    expect(view.isRevoked(token('b'))).toBe('subject');
    expect(view.isRevoked(token('a'))).toBe('no');
  });

  it('is not held by a stream that hangs when it is stopped', async () => {
    const stream = await start().nth(1);
    view.stop();
    await sleep(5);
    expect(stream.signal.aborted).toBe(true);
  });

  it('forgets sessions whose tokens have all expired', async () => {
    const stream = await start().nth(1);
    const session = (id: string, ms: number): { change: Revocation } => ({
      change: {
        number: 1,
        item: 'session',
        id,
        revoked: true,
        expiresAt: new Date(Date.now() + ms),
      },
    });
    stream.send(session('over', -600_000), session('running', 600_000), { head: 1 });
    await view.whenReady();
    expect(view.size).toBe(1);
    expect(view.isRevoked(token('u', 'running'))).toBe('session');
  });
});
