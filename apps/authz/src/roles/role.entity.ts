import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A named set of permissions; bindings give it to subjects. */
@Entity('roles')
export class Role {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  description!: string;

  /** Null: a role of the platform, which bindings of any scope may name. */
  @Column('uuid', { name: 'organization_id', nullable: true })
  organizationId!: string | null;

  @Column('text', { array: true })
  permissions!: string[];

  /** Holds every permission, new ones included. */
  @Column('boolean', { name: 'all_permissions' })
  allPermissions!: boolean;

  /** Held by every active user without a binding. */
  @Column('boolean')
  implicit!: boolean;

  @Column('boolean', { name: 'built_in' })
  builtIn!: boolean;

  @Column('integer')
  version!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3 })
  updatedAt!: Date;
}
