import type { BrokerRecord } from './event-broker.ts';

/** Turns records settled in any order into the offset up to which all are: what a group may commit. */
export class SettledPrefix {
  private readonly settled = new Set<bigint>();
  private place = 0;

  constructor(private readonly records: readonly BrokerRecord[]) {}

  settle(record: BrokerRecord): void {
    this.settled.add(record.offset);
  }

  settleAll(): void {
    for (const record of this.records) this.settled.add(record.offset);
  }

  /** The offset after the last record of the settled prefix; undefined while the first record is open. */
  next(): bigint | undefined {
    let record = this.records[this.place];
    while (record !== undefined && this.settled.has(record.offset)) {
      this.place += 1;
      record = this.records[this.place];
    }
    const last = this.records[this.place - 1];
    return last === undefined ? undefined : last.offset + 1n;
  }
}
