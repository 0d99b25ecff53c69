import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of the log, for reading: it is written by `LogTable` alone. */
@Entity('entries')
export class Entry {
  @PrimaryColumn('bigint', { name: 'leaf_index' })
  leafIndex!: number;

  @Column('uuid')
  id!: string;

  @Column('bytea')
  bytes!: Buffer;

  @Column('bytea', { name: 'leaf_hash' })
  leafHash!: Buffer;

  @Column({ type: 'timestamptz', name: 'occurred_at', precision: 3 })
  occurredAt!: Date;

  @Column('text', { name: 'actor_id' })
  actorId!: string;

  @Column('text')
  action!: string;

  @Column('text', { name: 'target_id' })
  targetId!: string;

  @Column('text')
  outcome!: string;

  @Column('uuid', { name: 'organization_id', nullable: true })
  organizationId!: string | null;

  @Column('text', { name: 'trace_id' })
  traceId!: string;
}
