import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A service account: a program outside of the platform that gets tokens at `/oauth2/token`. Its id is its `client_id`. */
@Entity('clients')
export class Client {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id', nullable: true })
  organizationId!: string | null;

  @Column('text')
  name!: string;

  @Column('text')
  description!: string;

  /** SHA-256: the secret is random, so nothing slower is needed. */
  @Column('bytea', { name: 'secret_hash' })
  secretHash!: Buffer;

  /** 1 at creation, one more at each change. */
  @Column('integer')
  version!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3 })
  updatedAt!: Date;

  @Column({ type: 'timestamptz', name: 'secret_changed_at', precision: 3 })
  secretChangedAt!: Date;
}
