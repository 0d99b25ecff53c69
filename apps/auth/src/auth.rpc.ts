import {
  ApiKeyInvalid,
  type AuthServiceHandlers,
  SessionCookieInvalid,
} from '@gatehouse/contracts-auth';
import { AllowedClients, ANY_SERVICE, fromSource, Public } from '@gatehouse/guards';
import { Controller } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { map } from 'rxjs';
import type { z } from 'zod';

import {
  CreateCredentialMessage,
  ExchangeMessage,
  ListMessage,
  WatchMessage,
} from './auth.schemas.ts';
import { CreateCredential } from './credentials/commands/create-credential.ts';
import { GetSignedKeySet } from './keys/queries/get-key-set.ts';
import { revocationMessage, watchMessage } from './revocations/revocation.messages.ts';
import { RevocationFeed } from './revocations/revocation-feed.ts';

@Controller()
export class AuthRpc implements AuthServiceHandlers {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly feed: RevocationFeed,
  ) {}

  /** Open: what it answers is public, and signed. */
  @GrpcMethod('AuthService', 'GetKeySet')
  @Public()
  async getKeySet() {
    return { signedKeySet: await this.queries.execute(new GetSignedKeySet()) };
  }

  /** There are no API keys and no session cookies yet: whatever is presented is none. */
  @GrpcMethod('AuthService', 'ExchangeCredential')
  @AllowedClients('gateway')
  exchangeCredential(
    @Payload({ schema: ExchangeMessage }) { sessionCookie }: z.infer<typeof ExchangeMessage>,
  ): never {
    throw sessionCookie == null ? new ApiKeyInvalid() : new SessionCookieInvalid();
  }

  @GrpcMethod('AuthService', 'ListRevocations')
  @AllowedClients(ANY_SERVICE)
  async listRevocations(
    @Payload({ schema: ListMessage }) { after, limit }: z.infer<typeof ListMessage>,
  ) {
    const { revocations, head } = await this.feed.list(after, limit);
    return { revocations: revocations.map(revocationMessage), head };
  }

  @GrpcMethod('AuthService', 'WatchRevocations')
  @AllowedClients(ANY_SERVICE)
  watchRevocations(@Payload({ schema: WatchMessage }) { after }: z.infer<typeof WatchMessage>) {
    return fromSource((signal) => this.feed.watch(after, signal)).pipe(map(watchMessage));
  }

  @GrpcMethod('AuthService', 'CreateCredential')
  @AllowedClients('provisioner')
  async createCredential(
    @Payload({ schema: CreateCredentialMessage }) message: z.infer<typeof CreateCredentialMessage>,
  ) {
    await this.commands.execute(new CreateCredential(message.userId, message.password));
    return {};
  }
}
