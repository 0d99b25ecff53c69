import { type ClientOf, InjectClient } from '@gatehouse/clients';
import { authV1 } from '@gatehouse/contracts-auth';
import { Directory } from '@gatehouse/discovery';
import { Injectable } from '@nestjs/common';

import { detached } from '../following/detached.ts';
import { KeySetSource } from './key-set.source.ts';
import { type KeySetDocument, openKeySet } from './signed-key-set.ts';

/** Asks Auth over gRPC, and believes what is signed with the key that the directory lists for Auth. */
@Injectable()
export class GrpcKeySetSource extends KeySetSource {
  constructor(
    @InjectClient(authV1) private readonly auth: ClientOf<typeof authV1>,
    private readonly directory: Directory,
  ) {
    super();
  }

  override async load(): Promise<KeySetDocument> {
    const service = this.directory.service(authV1.service);
    if (service === undefined) throw new Error('the directory lists no auth');
    const { signedKeySet } = await detached(() => this.auth.getKeySet({}, { as: 'service' }));
    return openKeySet(signedKeySet, service.publicKey);
  }
}
