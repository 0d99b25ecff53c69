import type { JsonWebKey } from 'node:crypto';

import { DiscoveryConfig } from '@gatehouse/discovery';
import { signKeySet } from '@gatehouse/guards';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import { LocalKeySetSource } from '../local-key-set.source.ts';

/** The public keys as a JWK Set (RFC 7517), for the outside. */
export class GetKeySet extends Query<{ keys: JsonWebKey[] }> {}

/** The same as a JWS under Auth's service key, for the platform's own verifiers. */
export class GetSignedKeySet extends Query<string> {}

@QueryHandler(GetKeySet)
export class GetKeySetHandler implements IQueryHandler<GetKeySet> {
  constructor(private readonly source: LocalKeySetSource) {}

  async execute(): Promise<{ keys: JsonWebKey[] }> {
    return { keys: (await this.source.load()).keys };
  }
}

@QueryHandler(GetSignedKeySet)
export class GetSignedKeySetHandler implements IQueryHandler<GetSignedKeySet> {
  constructor(
    private readonly source: LocalKeySetSource,
    private readonly discovery: DiscoveryConfig,
  ) {}

  async execute(): Promise<string> {
    return signKeySet(await this.source.load(), this.discovery.GATEHOUSE_SERVICE_KEY);
  }
}
