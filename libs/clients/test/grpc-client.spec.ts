import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeadlineExceeded,
  PermissionDenied,
  PlatformError,
  RemoteError,
  ServiceUnavailable,
  ValidationFailed,
} from '@gatehouse/contracts-platform';
import { newRequestContext, requestContext } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createGrpcClient, type GrpcClient } from '../src/grpc-client.ts';
import { EchoLost, echoV1 } from './echo.contract.ts';
import { EchoServer } from './echo.server.ts';
import { StaticInstances } from './static.instances.ts';

class NotOfThisContract extends PlatformError {
  static override readonly code = 'SOMETHING_ELSE';
  static override readonly kind = 'conflict';
  static override readonly title = 'Something else';
}

/** An answer that nobody waits for to the end. */
const late = (ms: number) => sleep(ms, 'late', { ref: false });

async function drain(messages: AsyncIterable<unknown>): Promise<void> {
  const iterator = messages[Symbol.asyncIterator]();
  while (!(await iterator.next()).done);
}

describe('a gRPC client', () => {
  let one: EchoServer;
  let two: EchoServer;
  let instances: StaticInstances;
  let echo: GrpcClient<typeof echoV1>;
  let finished: { method: string; code: number }[];

  beforeEach(async () => {
    one = await new EchoServer('one').start();
    two = await new EchoServer('two').start();
    instances = new StaticInstances(one, two);
    finished = [];
    echo = createGrpcClient(echoV1, {
      resolver: instances,
      observe: (method, code) => finished.push({ method, code }),
    });
  });
  afterEach(() => {
    echo.close();
    one.kill();
    two.kill();
  });

  /** Until both are connected and have answered. */
  const warm = (...servers: EchoServer[]) =>
    eventually(async () => {
      await echo.read({});
      return servers.every((server) => server.calls.length > 0);
    });
  const servers = async (calls: number) => {
    const answers = await Promise.all(
      Array.from({ length: calls }, () => echo.read({ text: 'x' })),
    );
    return Map.groupBy(answers, (answer) => answer.server);
  };
  const failing = (error: Error) => (): never => {
    throw error;
  };

  describe('finds instances', () => {
    it('and shares calls evenly between them', async () => {
      await warm(one, two);
      const shares = await servers(100);
      expect(shares.get('one')).toHaveLength(50);
      expect(shares.get('two')).toHaveLength(50);
    });

    it('and calls one that came later', async () => {
      instances.set(one);
      await warm(one);
      expect([...(await servers(10)).keys()]).toEqual(['one']);
      instances.set(one, two);
      await warm(two);
    });

    it('and calls none that is no longer listed, though it still answers', async () => {
      await warm(one, two);
      instances.set(two);
      await sleep(20);
      expect([...(await servers(20)).keys()]).toEqual(['two']);
      instances.set();
      await sleep(20);
      await expect(echo.read({})).rejects.toThrow(ServiceUnavailable);
      instances.set(one);
      await warm(one);
    });

    it('and fails soon where there are none', async () => {
      instances.set();
      const began = performance.now();
      await expect(echo.write({})).rejects.toThrow(ServiceUnavailable);
      expect(performance.now() - began).toBeLessThan(1_500);
    });

    it('and passes over one that was killed, while it is still listed', async () => {
      await warm(one, two);
      one.kill();
      const answers = await Promise.all(Array.from({ length: 50 }, () => echo.read({})));
      expect(answers.filter((answer) => answer.server === 'two').length).toBeGreaterThanOrEqual(49);
      expect([...(await servers(20)).keys()]).toEqual(['two']);
    });

    it('and comes back to one that was restarted in its place', async () => {
      await warm(one, two);
      const { port } = one;
      one.kill();
      await servers(10);
      const again = await new EchoServer('again').start(port);
      await eventually(async () => (await echo.read({})).server === 'again', { timeoutMs: 5_000 });
      again.kill();
    });

    it('or calls the one address it was given', async () => {
      const direct = createGrpcClient(echoV1, { address: one.address });
      expect(await direct.read({ text: 'hello' })).toEqual({
        text: 'hello',
        server: 'one',
        number: 0,
      });
      direct.close();
      expect(() => createGrpcClient(echoV1, {})).toThrow(/needs an address or a resolver/);
    });
  });

  describe('retries', () => {
    it('what is idempotent where an instance dies between the head of its answer and the rest', async () => {
      await warm(one, two);
      one.headFirst = true;
      one.answer = () => {
        setTimeout(() => one.kill(), 20);
        return late(60_000);
      };
      finished = [];
      const answers = await Promise.all(Array.from({ length: 10 }, () => echo.put({})));
      expect(answers.map(({ server }) => server)).toEqual(Array(10).fill('two'));
      expect(finished).toEqual(Array(10).fill({ method: 'put', code: 0 }));
    });

    it('nothing else there: it may have been done', async () => {
      await warm(one, two);
      instances.set(one);
      await sleep(20);
      one.headFirst = true;
      one.answer = () => {
        setTimeout(() => one.kill(), 20);
        return late(60_000);
      };
      setTimeout(() => instances.set(one, two), 10);
      await expect(echo.write({})).rejects.toThrow(ServiceUnavailable);
      expect(one.calls.filter(({ method }) => method === 'write')).toHaveLength(1);
      expect(two.calls.filter(({ method }) => method === 'write')).toHaveLength(0);
    });

    it.each(['read', 'put'] as const)('what is idempotent: %s', async (method) => {
      let failures = 2;
      one.answer = two.answer = (_, { text }) => {
        if (failures-- > 0) throw new ServiceUnavailable();
        return text ?? '';
      };
      expect((await echo[method]({ text: 'third time' })).text).toBe('third time');
      expect(one.calls.length + two.calls.length).toBe(3);
      expect(finished).toEqual([{ method, code: 0 }]);
    });

    it('three times at most', async () => {
      one.answer = two.answer = failing(new ServiceUnavailable());
      await expect(echo.read({})).rejects.toThrow(ServiceUnavailable);
      expect(one.calls.length + two.calls.length).toBe(3);
    });

    it('nothing that a second time could do twice', async () => {
      one.answer = two.answer = failing(new ServiceUnavailable());
      await expect(echo.write({})).rejects.toThrow(ServiceUnavailable);
      expect(one.calls.length + two.calls.length).toBe(1);
    });

    it('nothing that was answered with another error', async () => {
      one.answer = two.answer = failing(new EchoLost());
      await expect(echo.read({})).rejects.toThrow(EchoLost);
      expect(one.calls.length + two.calls.length).toBe(1);
    });

    it('within a budget: a service in trouble is not asked three times as often', async () => {
      one.answer = two.answer = failing(new ServiceUnavailable());
      for (let batch = 0; batch < 8; batch++) {
        const calls = Array.from({ length: 50 }, () => echo.read({}));
        for (const call of await Promise.allSettled(calls)) expect(call.status).toBe('rejected');
      }
      expect(one.calls.length + two.calls.length).toBeLessThan(400 + 110);
    });

    it('hides that an instance died with idempotent calls in flight', async () => {
      await warm(one, two);
      one.answer = () => late(5_000);
      const calls = Promise.all(Array.from({ length: 4 }, () => echo.read({ text: 'x' })));
      await sleep(100);
      one.kill();
      expect((await calls).map((answer) => answer.server)).toEqual(['two', 'two', 'two', 'two']);
    });
  });

  describe('keeps time', () => {
    it('two seconds where nothing is said, and tells the server', async () => {
      await echo.read({});
      const [seen] = [...one.calls, ...two.calls];
      expect(seen!.remainingMs).toBeGreaterThan(1_500);
      expect(seen!.remainingMs).toBeLessThanOrEqual(2_010);
    });

    it('gives up when it is over', async () => {
      one.answer = two.answer = () => late(3_000);
      const began = performance.now();
      await expect(echo.read({}, { deadlineMs: 200 })).rejects.toThrow(DeadlineExceeded);
      expect(performance.now() - began).toBeLessThan(1_000);
      await eventually(() => one.cancelled.length + two.cancelled.length === 1);
    });

    it('shortened to what the work in hand has left, and never lengthened by it', async () => {
      const within = (ms: number, deadlineMs: number) =>
        requestContext.run(newRequestContext({ deadline: Date.now() + ms }), () =>
          echo.read({}, { deadlineMs }),
        );
      await within(500, 5_000);
      await within(60_000, 700);
      const remaining = [...one.calls, ...two.calls]
        .map((call) => call.remainingMs)
        .sort((a, b) => a - b);
      expect(remaining[0]).toBeLessThanOrEqual(510);
      expect(remaining[1]).toBeGreaterThan(510);
      expect(remaining[1]).toBeLessThanOrEqual(710);
    });

    it('sends nothing where no time is left', async () => {
      const late = requestContext.run(newRequestContext({ deadline: Date.now() - 1 }), () =>
        echo.write({}),
      );
      await expect(late).rejects.toThrow(DeadlineExceeded);
      expect(one.calls.length + two.calls.length).toBe(0);
    });

    it('counts retries as part of the call', async () => {
      one.answer = two.answer = () => sleep(150).then(failing(new ServiceUnavailable()));
      const began = performance.now();
      await expect(echo.read({}, { deadlineMs: 250 })).rejects.toThrow(PlatformError);
      expect(performance.now() - began).toBeLessThan(600);
    });
  });

  describe('gives errors back', () => {
    it('as the class the server threw, with its detail and violations', async () => {
      one.answer = two.answer = failing(new EchoLost('in the hills'));
      const lost: unknown = await echo.write({}).catch((error: unknown) => error);
      expect(lost).toBeInstanceOf(EchoLost);
      expect((lost as EchoLost).message).toContain('in the hills');
      const violations = [{ pointer: '/text', message: 'must be louder' }];
      one.answer = two.answer = failing(new ValidationFailed(undefined, { violations }));
      await expect(echo.write({})).rejects.toMatchObject({ code: 'VALIDATION_FAILED', violations });
      one.answer = two.answer = failing(new PermissionDenied());
      await expect(echo.write({})).rejects.toThrow(PermissionDenied);
    });

    it('as RemoteError with code and kind where the contract does not know the code', async () => {
      one.answer = two.answer = failing(new NotOfThisContract());
      const error: unknown = await echo.write({}).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RemoteError);
      expect(error).toMatchObject({ code: 'SOMETHING_ELSE', kind: 'conflict' });
    });
  });

  describe('is given up', () => {
    it('by a signal, with the signal’s reason, and tells the server', async () => {
      one.answer = two.answer = () => late(3_000);
      const reason = new Error('not needed any more');
      const abort = new AbortController();
      const call = echo.read({}, { signal: abort.signal });
      await eventually(() => one.calls.length + two.calls.length === 1);
      abort.abort(reason);
      await expect(call).rejects.toBe(reason);
      await eventually(() => one.cancelled.length + two.cancelled.length === 1);
    });

    it('before it is sent, by a signal that has fired already', async () => {
      await expect(echo.write({}, { signal: AbortSignal.abort() })).rejects.toThrow(/aborted/);
      expect(one.calls.length + two.calls.length).toBe(0);
    });
  });

  describe('streams', () => {
    it('every message in order, to its end', async () => {
      const numbers: number[] = [];
      for await (const message of echo.watch({ count: 5 })) numbers.push(message.number);
      expect(numbers).toEqual([1, 2, 3, 4, 5]);
      expect(finished).toEqual([{ method: 'watch', code: 0 }]);
    });

    it('until the loop is left, which tells the server', async () => {
      for await (const message of echo.watch({})) if (message.number === 3) break;
      await eventually(() => one.cancelled.length + two.cancelled.length === 1);
    });

    it('until a signal fires, with the signal’s reason, also while nothing comes', async () => {
      one.answer = two.answer = (_, { count }) => (count! < 3 ? '' : late(3_000));
      const abort = new AbortController();
      const reason = new Error('enough');
      const follow = async () => {
        for await (const message of echo.watch({}, { signal: abort.signal }))
          if (message.number === 2) setTimeout(() => abort.abort(reason), 20);
      };
      await expect(follow()).rejects.toBe(reason);
      await eventually(() => one.cancelled.length + two.cancelled.length === 1);
    });

    it('without a deadline of their own, but within that of the work in hand', async () => {
      await drain(echo.watch({ count: 1 }));
      expect([...one.calls, ...two.calls][0]!.remainingMs).toBe(Number.POSITIVE_INFINITY);
      const follow = () =>
        requestContext.run(newRequestContext({ deadline: Date.now() + 150 }), () =>
          drain(echo.watch({})),
        );
      await expect(follow()).rejects.toThrow(DeadlineExceeded);
    });

    it('and give an error in their midst back as its class, after the messages before it', async () => {
      one.answer = two.answer = (_, { count }) => (count! < 3 ? '' : failing(new EchoLost())());
      const numbers: number[] = [];
      const follow = async () => {
        for await (const message of echo.watch({})) numbers.push(message.number);
      };
      await expect(follow()).rejects.toThrow(EchoLost);
      expect(numbers).toEqual([1, 2]);
    });

    it('and fail as unavailable when their server dies; the next goes to another', async () => {
      await warm(one, two);
      const follow = async () => {
        for await (const message of echo.watch({}))
          if (message.number === 2) (message.server === 'one' ? one : two).kill();
      };
      await expect(follow()).rejects.toThrow(ServiceUnavailable);
      for await (const message of echo.watch({ count: 1 })) expect(message.number).toBe(1);
    });

    it('no faster than they are read', async () => {
      one.answer = two.answer = () => 'x'.repeat(64_000);
      for await (const message of echo.watch({})) {
        if (message.number === 5) break;
        await sleep(40);
      }
      expect(one.written + two.written).toBeLessThan(60);
    });
  });
});
