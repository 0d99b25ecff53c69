import { provisionedDatabase, type ProvisionedDatabase } from '@gatehouse/persistence/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { LogClient, type Ownership } from './log.client.ts';
import { eventBusPlatformSql } from './platform.migrations.ts';

describe('the log in PostgreSQL', () => {
  let database: ProvisionedDatabase;
  let alpha: pg.Pool;
  let beta: pg.Pool;
  let admin: pg.Pool;
  let log: LogClient;

  beforeAll(async () => {
    database = await provisionedDatabase({
      services: { alpha: null, beta: null },
      platformSql: eventBusPlatformSql,
    });
    [alpha, beta, admin] = [database.urlOf('alpha'), database.urlOf('beta'), database.adminUrl].map(
      (connectionString) => new pg.Pool({ connectionString }),
    ) as [pg.Pool, pg.Pool, pg.Pool];
    log = new LogClient(alpha);
    await log.createTopic('alpha.thing', 3);
  }, 60_000);

  afterAll(async () => {
    await Promise.all([alpha, beta, admin].map((pool) => pool.end()));
    await database.drop();
  });

  const sync = (member: string, released: Ownership[] = [], sessionMs = 60_000) =>
    log.sync({
      group: 'alpha.fencing',
      member,
      topics: ['alpha.thing'],
      from: 'earliest',
      sessionMs,
      released,
    });

  it.each([
    'bus_log',
    'bus_topics',
    'bus_partitions',
    'bus_groups',
    'bus_members',
    'bus_assignments',
  ])('is reached through its functions only: no service reads or writes %s', async (table) => {
    for (const sql of [
      `SELECT FROM platform.${table}`,
      `DELETE FROM platform.${table}`,
      `TRUNCATE platform.${table}`,
      `ALTER TABLE platform.${table} DISABLE TRIGGER ALL`,
    ]) {
      await expect(alpha.query(sql)).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('stamps the source itself: SET ROLE does not change who is asking', async () => {
    await expect(alpha.query('SET ROLE beta_app')).rejects.toMatchObject({ code: '42501' });
    await log.append([{ topic: 'alpha.thing', key: 'a', value: '1' }]);
    const { rows } = await admin.query<{ source: string }>(
      `SELECT DISTINCT source FROM platform.bus_log WHERE topic = 'alpha.thing'`,
    );
    expect(rows).toEqual([{ source: 'alpha' }]);
  });

  it('refuses who is no service: an administrator has no source', async () => {
    await expect(
      new LogClient(admin).append([{ topic: 'alpha.thing', key: 'a', value: '1' }]),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('refuses a batch whole if one topic in it belongs to another', async () => {
    const other = new LogClient(beta);
    await other.createTopic('beta.thing', 1);
    await expect(
      other.append([
        { topic: 'beta.thing', key: 'a', value: 'mine' },
        { topic: 'alpha.thing', key: 'a', value: 'not mine' },
      ]),
    ).rejects.toMatchObject({ code: '42501' });
    expect((await other.heads(['beta.thing']))[0]?.head).toBe(0n);
  });

  it('refuses to prune for another: a service deletes its own records alone', async () => {
    await log.append([{ topic: 'alpha.thing', key: 'prune', value: '1' }]);
    expect(await new LogClient(beta).prune(0, 1000)).toBe(0);
    expect(await log.prune(3_600_000, 1000)).toBe(0);
    expect(await log.prune(0, 1000)).toBeGreaterThan(0);
    await log.append([{ topic: 'alpha.thing', key: 'prune', value: '2' }]);
    const heads = await log.heads(['alpha.thing']);
    const records = await log.fetch(
      heads.map((at) => ({ ...at, offset: 0n })),
      100,
      1_000_000,
    );
    expect(records.map((record) => record.value)).toEqual(['2']);
  });

  it('fetches at least one record, however large, and else no more than asked', async () => {
    const large = 'x'.repeat(10_000);
    await log.createTopic('alpha.large', 1);
    await log.append(
      [1, 2, 3, 4].map((n) => ({ topic: 'alpha.large', key: 'a', value: `${n}${large}` })),
    );
    const at = { topic: 'alpha.large', partition: 0, offset: 0n };
    expect(await log.fetch([at], 100, 10)).toHaveLength(1);
    expect(await log.fetch([at], 100, 15_000)).toHaveLength(2);
    expect(await log.fetch([at], 3, 1_000_000)).toHaveLength(3);
    expect(await log.fetch([{ ...at, offset: 3n }], 3, 1_000_000)).toHaveLength(1);
  });

  it('moves a partition when its owner has released it, and fences the owner of before', async () => {
    const before = await sync('one');
    expect(before).toHaveLength(3);
    expect(await sync('two')).toEqual([]); // planned, and still in the hands of the other
    const revoking = (await sync('one')).filter((owned) => owned.revoking);
    expect(revoking).toHaveLength(1);
    const [moving] = revoking as [Ownership];
    expect(await log.commit('alpha.fencing', 'one', moving, 1n)).toBe(true);
    expect(await sync('one', [moving])).toHaveLength(2);
    const [taken] = (await sync('two')) as [Ownership];
    expect(taken).toMatchObject({ partition: moving.partition, committed: 1n });
    expect(taken.epoch).toBeGreaterThan(moving.epoch);
    expect(await log.commit('alpha.fencing', 'one', moving, 5n)).toBe(false);
    expect(await log.commit('alpha.fencing', 'two', taken, 2n)).toBe(true);
    expect(await log.commit('alpha.fencing', 'two', taken, 1n)).toBe(true); // never goes back
    expect((await sync('two'))[0]?.committed).toBe(2n);
  });

  it('takes partitions from a member whose session is over, and fences it', async () => {
    await log.leave('alpha.fencing', 'one');
    await log.leave('alpha.fencing', 'two');
    const slept = await sync('sleeper', [], 1);
    expect(slept).toHaveLength(3);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const taken = await sync('heir');
    expect(taken).toHaveLength(3);
    for (const owned of slept) {
      expect(await log.commit('alpha.fencing', 'sleeper', owned, 9n)).toBe(false);
    }
    expect(await sync('sleeper')).toEqual([]); // it is back, as a new member that waits for its share
    expect((await sync('heir')).filter((owned) => owned.revoking)).toHaveLength(1);
  });

  it('forgets a group that nobody has been in for the time given, its own alone', async () => {
    const join = (client: LogClient, group: string, sessionMs = 60_000) =>
      client.sync({
        group,
        member: 'one',
        topics: ['alpha.thing'],
        from: 'earliest',
        sessionMs,
        released: [],
      });
    const other = new LogClient(beta);
    await join(log, 'alpha.lives');
    await join(log, 'alpha.left');
    await log.leave('alpha.left', 'one');
    await join(log, 'alpha.died', 1);
    await join(other, 'beta.left');
    await other.leave('beta.left', 'one');
    const groups = async () =>
      (
        await admin.query<{ name: string }>(
          `SELECT name FROM platform.bus_groups WHERE name ~ 'lives|left|died' ORDER BY name`,
        )
      ).rows.map(({ name }) => name);

    await log.pruneGroups(3_600_000);
    expect(await groups()).toEqual(['alpha.died', 'alpha.left', 'alpha.lives', 'beta.left']);
    await admin.query(
      `UPDATE platform.bus_groups SET emptied_at = emptied_at - interval '2 hours';
       UPDATE platform.bus_members SET expires_at = expires_at - interval '2 hours' WHERE group_name = 'alpha.died'`,
    );
    expect(await log.pruneGroups(3_600_000)).toBeGreaterThanOrEqual(2);
    expect(await groups()).toEqual(['alpha.lives', 'beta.left']);
    const { rows } = await admin.query(
      `SELECT FROM platform.bus_assignments WHERE group_name IN ('alpha.left', 'alpha.died')`,
    );
    expect(rows).toEqual([]);
    expect(await join(log, 'alpha.left')).toHaveLength(3); // comes back as a new group
  });
});
