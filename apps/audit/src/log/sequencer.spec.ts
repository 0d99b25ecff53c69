import { Lifecycle, Metrics, runInScope } from '@gatehouse/kernel';
import { describe, expect, it } from '@jest/globals';

import { AuditConfig } from '../audit.config.ts';
import type { CanonicalLeaf, Leaf } from './leaf.ts';
import type { Appended, LogTable } from './log.table.ts';
import { Sequencer } from './sequencer.ts';

const leaf = (id: string): CanonicalLeaf => ({ leaf: { id } as Leaf, bytes: Buffer.from(id) });

/** Commits when the test says so. */
class FakeTable {
  readonly commits: string[][] = [];
  private readonly gates: (() => void)[] = [];
  open = true;
  failing: Error | undefined;
  private next = 0;

  async append(leaves: readonly CanonicalLeaf[]): Promise<Appended[]> {
    this.commits.push(leaves.map((one) => one.leaf.id));
    if (!this.open) await new Promise<void>((resolve) => this.gates.push(resolve));
    if (this.failing) throw this.failing;
    return leaves.map(() => ({ index: this.next++, isNew: true, conflict: false }));
  }

  commit(): void {
    this.open = true;
    for (const gate of this.gates.splice(0)) gate();
  }
}

describe('Sequencer', () => {
  const make = (env: Record<string, string> = {}) => {
    const table = new FakeTable();
    const config = runInScope(
      { env: { AUDIT_MAX_WAITING: '5', AUDIT_MAX_BATCH: '3', ...env }, packageDir: '' },
      () => new AuditConfig(),
    );
    const sequencer = new Sequencer(
      table as unknown as LogTable,
      config,
      new Metrics(),
      new Lifecycle(),
    );
    return { table, sequencer };
  };

  it('puts what waits into one commit, and gives each caller the answers of its own entries', async () => {
    const { table, sequencer } = make();
    table.open = false;
    const first = sequencer.append([leaf('a')]);
    await new Promise(setImmediate);
    const others = [sequencer.append([leaf('b'), leaf('c')]), sequencer.append([leaf('d')])];
    table.commit();
    expect((await first).map(({ index }) => index)).toEqual([0]);
    const answers = await Promise.all(others);
    expect(answers.map((one) => one.map(({ index }) => index))).toEqual([[1, 2], [3]]);
    expect(table.commits).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('begins a further commit where one would be too large, never splitting what came together', async () => {
    const { table, sequencer } = make({ AUDIT_MAX_BATCH: '2' });
    await Promise.all([
      sequencer.append([leaf('a')]),
      sequencer.append([leaf('b'), leaf('c')]),
      sequencer.append([leaf('d')]),
    ]);
    expect(table.commits).toEqual([['a'], ['b', 'c'], ['d']]);
  });

  it('goes on for a caller that appends again at once', async () => {
    const { table, sequencer } = make();
    let done = Promise.resolve<Appended[]>([]);
    for (let n = 0; n < 20; n++) done = done.then(() => sequencer.append([leaf(String(n))]));
    await done;
    expect(table.commits).toHaveLength(20);
  });

  it('refuses what would wait beyond the limit, and takes more once some are appended', async () => {
    const { table, sequencer } = make();
    table.open = false;
    const waiting = [sequencer.append([leaf('a'), leaf('b')]), sequencer.append([leaf('c')])];
    await expect(sequencer.append([leaf('d'), leaf('e'), leaf('f')])).rejects.toMatchObject({
      code: 'AUDIT_SEQUENCER_UNAVAILABLE',
      retryAfterSeconds: 1,
    });
    table.commit();
    await Promise.all(waiting);
    await sequencer.append([leaf('d'), leaf('e'), leaf('f')]);
  });

  it('says unavailable to all of a commit that failed, and goes on', async () => {
    const { table, sequencer } = make();
    table.failing = new Error('connection lost');
    for (const failed of await Promise.allSettled([
      sequencer.append([leaf('a')]),
      sequencer.append([leaf('b')]),
    ])) {
      expect(failed).toMatchObject({ reason: { code: 'AUDIT_SEQUENCER_UNAVAILABLE' } });
    }
    table.failing = undefined;
    expect(await sequencer.append([leaf('a')])).toHaveLength(1);
  });
});
