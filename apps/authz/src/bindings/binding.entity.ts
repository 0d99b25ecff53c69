import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';

import { Role } from '../roles/role.entity.ts';

/** Gives a subject a role in a scope. */
@Entity('bindings')
export class Binding {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'subject_id' })
  subjectId!: string;

  @Column('uuid', { name: 'role_id' })
  roleId!: string;

  @ManyToOne(() => Role)
  @JoinColumn({ name: 'role_id' })
  role!: Relation<Role>;

  /** `platform`, or `organization:<id>`. */
  @Column('text')
  scope!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  /** Id of who made it: a user, a service account or `provisioner`. */
  @Column('text', { name: 'created_by' })
  createdBy!: string;
}
