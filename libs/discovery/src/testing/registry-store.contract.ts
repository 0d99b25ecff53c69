import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RegistryStore } from '../registry.store.ts';

/** What an adapter's test gives the suite: the engine, and a way to do what only others can do to it. */
export interface RegistryHarness {
  /** A store that acts as `service`; the suite closes it. */
  open(service: string): Promise<RegistryStore> | RegistryStore;
  /** Writes a directory as the provisioner does; any text will do, each call's serial is higher. */
  writeDirectory(serial: number, document: string): Promise<void>;
  /** Tries to write a directory as `service` does, by whatever way its credential opens. Must reject. */
  writeDirectoryAs(service: string, serial: number, document: string): Promise<void>;
  /** False where the adapter gives no notices, and readers poll alone. Default true. */
  notices?: boolean;
  /** Removes every row, as an engine that lost its data. */
  loseRows(): Promise<void>;
  close(): Promise<void>;
}

/** The two services the suite acts as; their principals must exist. */
export const contractServices = ['registry-one', 'registry-two'] as const;

/** A lease long enough for the news of its end to arrive within it on a busy machine. */
const SHORT_MS = 3_000;

/** What every adapter of `RegistryStore` guarantees, against the real engine behind it. */
export function registryStoreContract(
  name: string,
  open: () => Promise<RegistryHarness>,
  /** Milliseconds that opening the engine may take. */
  openTimeoutMs = 60_000,
): void {
  describe(`registry store: ${name}`, () => {
    let harness: RegistryHarness;
    let one: RegistryStore;
    let two: RegistryStore;

    beforeAll(async () => {
      harness = await open();
      one = await harness.open('registry-one');
      two = await harness.open('registry-two');
    }, openTimeoutMs);
    beforeEach(() => harness.loseRows());
    afterAll(async () => {
      await one.close();
      await two.close();
      await harness.close();
    });

    const ids = async (store: RegistryStore): Promise<string[]> =>
      (await store.list()).map((row) => `${row.service}/${row.instanceId}`).sort();

    it('lists what was put, to every service, with what is left of the lease', async () => {
      await one.put('registry-one', 'o-1', 'entry one', 10_000);
      const [row] = await two.list();
      expect(row).toMatchObject({ service: 'registry-one', instanceId: 'o-1', entry: 'entry one' });
      expect(row?.remainingMs).toBeGreaterThan(8_000);
      expect(row?.remainingMs).toBeLessThanOrEqual(10_000);
    });

    it('keeps one row an instance: the last put stays', async () => {
      await one.put('registry-one', 'o-1', 'entry one', 10_000);
      await one.put('registry-one', 'o-1', 'entry two', 10_000);
      await one.put('registry-one', 'o-2', 'entry three', 10_000);
      expect((await one.list()).map((row) => row.entry).sort()).toEqual([
        'entry three',
        'entry two',
      ]);
    });

    it('does not list a lease that was not renewed', async () => {
      await two.put('registry-two', 'c-1', 'entry', 10_000);
      await one.put('registry-one', 'o-1', 'entry', SHORT_MS);
      await sleep(SHORT_MS);
      expect(await ids(one)).toEqual(['registry-two/c-1']);
    });

    it('lists a lease as long as it is renewed', async () => {
      await one.put('registry-one', 'o-1', 'entry', SHORT_MS);
      for (let turn = 0; turn < 5; turn++) {
        await sleep(SHORT_MS / 4);
        expect(await one.renew('registry-one', 'o-1', SHORT_MS)).toBe(true);
      }
      expect(await ids(two)).toEqual(['registry-one/o-1']);
    });

    it('does not renew what is not there, what has run out, or what was lost', async () => {
      expect(await one.renew('registry-one', 'o-9', 10_000)).toBe(false);
      await one.put('registry-one', 'o-1', 'entry', SHORT_MS);
      await sleep(SHORT_MS);
      expect(await one.renew('registry-one', 'o-1', 10_000)).toBe(false);
      await one.put('registry-one', 'o-2', 'entry', 10_000);
      await harness.loseRows();
      expect(await one.renew('registry-one', 'o-2', 10_000)).toBe(false);
      expect(await ids(one)).toEqual([]);
    });

    it('removes at once, and a second time without an error', async () => {
      await one.put('registry-one', 'o-1', 'entry', 10_000);
      await one.remove('registry-one', 'o-1');
      expect(await ids(two)).toEqual([]);
      await one.remove('registry-one', 'o-1');
    });

    it('lets a service write no rows but its own', async () => {
      await one.put('registry-one', 'o-1', 'entry', 10_000);
      await expect(two.put('registry-one', 'o-1', 'theirs', 10_000)).rejects.toThrow();
      await expect(two.put('registry-one', 'o-2', 'theirs', 10_000)).rejects.toThrow();
      await expect(two.renew('registry-one', 'o-1', 10_000)).rejects.toThrow();
      await expect(two.remove('registry-one', 'o-1')).rejects.toThrow();
      expect(await one.list()).toMatchObject([
        { service: 'registry-one', instanceId: 'o-1', entry: 'entry' },
      ]);
    });

    it('tells watchers of other processes of puts, removals and directories', async () => {
      if (harness.notices === false) {
        await (
          await two.watch(() => undefined)
        )();
        return;
      }
      let told = 0;
      const stop = await two.watch(() => {
        told++;
      });
      const toldOf = async (change: () => Promise<void>): Promise<void> => {
        const before = told;
        await change();
        for (let waited = 0; told === before && waited < 3_000; waited += 20) await sleep(20);
        expect(told).toBeGreaterThan(before);
      };
      await toldOf(() => one.put('registry-one', 'o-1', 'entry', 10_000));
      await toldOf(() => one.remove('registry-one', 'o-1'));
      await toldOf(() => harness.writeDirectory(2, 'a directory'));
      await stop();
      const before = told;
      await one.put('registry-one', 'o-1', 'entry', 10_000);
      await sleep(200);
      expect(told).toBe(before);
    });

    it('serves the directory that the provisioner wrote last, and lets no service write one', async () => {
      await harness.writeDirectory(10, 'ten');
      expect(await one.readDirectory()).toBe('ten');
      await harness.writeDirectory(11, 'eleven');
      expect(await one.readDirectory()).toBe('eleven');
      await expect(harness.writeDirectoryAs('registry-one', 12, 'twelve')).rejects.toThrow();
      expect(await two.readDirectory()).toBe('eleven');
    });
  });
}
