import { Column, Entity, PrimaryColumn } from 'typeorm';

export type UserStatus = 'active' | 'deactivated';

/** Somebody who can log in. Global: memberships tie users to organizations. */
@Entity('users')
export class User {
  @PrimaryColumn('uuid')
  id!: string;

  /** Lower case: addresses are compared without regard to case. */
  @Column('text')
  email!: string;

  @Column('text', { name: 'display_name' })
  displayName!: string;

  @Column('text')
  status!: UserStatus;

  /** 1 at creation, one more at each change. */
  @Column('integer')
  version!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3 })
  updatedAt!: Date;
}
