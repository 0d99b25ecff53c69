import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Why a session ended. */
export type RevokeReason =
  | 'logout'
  | 'revoked'
  | 'refresh_reused'
  | 'password_changed'
  | 'user_deactivated'
  | 'user_deleted';

/** One login of a user, until it is revoked or expires. Its id is the `sid` of its tokens. */
@Entity('sessions')
export class Session {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  /** The OAuth client its refresh tokens are bound to. */
  @Column('text', { name: 'client_id' })
  clientId!: string;

  @Column('uuid', { name: 'organization_id', nullable: true })
  organizationId!: string | null;

  /** Address and user agent: see SessionOrigins. */
  @Column('bytea', { name: 'sealed_origin' })
  sealedOrigin!: Buffer;

  /** Of the refresh token that is good now. */
  @Column('integer')
  generation!: number;

  /** SHA-256 of that token. */
  @Column('bytea', { name: 'refresh_hash' })
  refreshHash!: Buffer;

  /** When the generations before it were used, newest last; only those within the window. */
  @Column({ type: 'timestamptz', name: 'rotated_at', array: true, precision: 3 })
  rotatedAt!: Date[];

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3 })
  lastUsedAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', name: 'revoked_at', precision: 3, nullable: true })
  revokedAt!: Date | null;

  @Column('text', { name: 'revoke_reason', nullable: true })
  revokeReason!: RevokeReason | null;
}
