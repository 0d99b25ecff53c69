import { type Manifest, manifestDigest } from '@gatehouse/contracts-platform';
import { Announcement } from '@gatehouse/discovery';
import { canonicalJson, Lifecycle } from '@gatehouse/kernel';
import { Injectable, Logger } from '@nestjs/common';

import { ManifestBuilder } from './manifest-builder.ts';
import { PermissionSink } from './permission-sink.ts';

const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 5000;

/**
 * Makes the manifest before the instance is announced, so that its digest is in the signed entry, and pushes the
 * permissions to Authz once it is, again and again until they are taken. Nothing waits for that: Authz may be away.
 */
@Injectable()
export class ManifestPublication {
  private readonly logger = new Logger(ManifestPublication.name);
  private document: { manifest: Manifest; bytes: Buffer; digest: string } | undefined;
  private readonly stopped = new AbortController();

  constructor(
    private readonly builder: ManifestBuilder,
    private readonly announcement: Announcement,
    private readonly sink: PermissionSink,
    lifecycle: Lifecycle,
  ) {
    lifecycle.onStart('transports', 'build the manifest', () =>
      this.announcement.set(this.current()),
    );
    lifecycle.onStart('ready', 'register permissions', () => void this.push());
    lifecycle.onStop('unready', 'end registering permissions', () => this.stopped.abort());
  }

  /** The exact bytes served, with their digest. The same decorators make the same bytes. */
  current(): { bytes: Buffer; digest: string; manifest: Manifest } {
    if (this.document === undefined) {
      const manifest = this.builder.build();
      const bytes = Buffer.from(canonicalJson(manifest));
      this.document = { manifest, bytes, digest: manifestDigest(bytes) };
    }
    return this.document;
  }

  private async push(): Promise<void> {
    const { manifest, digest } = this.current();
    for (
      let pause = FIRST_RETRY_MS;
      !this.stopped.signal.aborted;
      pause = Math.min(MAX_RETRY_MS, pause * 2)
    ) {
      try {
        await this.sink.register(manifest.permissions, digest);
        return;
      } catch (error) {
        this.logger.debug({ err: error }, 'permissions not registered yet');
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
      }
    }
  }
}
