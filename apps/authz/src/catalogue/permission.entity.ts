import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a service asks for, as its manifest declares it. */
@Entity('permissions')
export class Permission {
  /** `<service>.<resource>.<action>` */
  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  service!: string;

  @Column('text')
  description!: string;

  @Column('text')
  scope!: 'platform' | 'organization';

  /** No live version of the service declares it any more. */
  @Column('boolean')
  stale!: boolean;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3 })
  updatedAt!: Date;
}
