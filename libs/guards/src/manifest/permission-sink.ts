import type { PermissionDeclaration } from '@gatehouse/contracts-platform';

/** Port: where a service's permissions are registered, replacing those it registered before. Rejects until taken. */
export abstract class PermissionSink {
  abstract register(
    permissions: readonly PermissionDeclaration[],
    manifestDigest: string,
  ): Promise<void>;
}
