import { NotAuthenticated } from '@gatehouse/contracts-platform';
import { AllowedClients, ANY_SERVICE, fromSource } from '@gatehouse/guards';
import { requestContext, Uuid } from '@gatehouse/kernel';
import { Controller } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { map } from 'rxjs';
import { z } from 'zod';

import { BootstrapAdministrator } from './bindings/commands/bootstrap-administrator.ts';
import { RegisterPermissions } from './catalogue/commands/register-permissions.ts';
import { RegisterPermissionsMessage } from './catalogue/permissions.schemas.ts';
import { GrantFeed } from './changes/grant-feed.ts';
import { grantsMessage, roleMessage, watchMessage } from './changes/messages.ts';
import { BatchCheckMessage, type CheckBody, CheckMessage } from './decisions/decisions.schemas.ts';
import { CheckBatch } from './decisions/queries/check-batch.ts';
import { Check } from './decisions/queries/check.ts';

const SubjectMessage = z.object({ subjectId: Uuid });
const UserMessage = z.object({ userId: Uuid });
const WatchMessage = z.object({ after: z.int().min(0) });

@Controller()
export class AuthzRpc {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly feed: GrantFeed,
  ) {}

  @GrpcMethod('AuthzService', 'Check')
  @AllowedClients(ANY_SERVICE)
  check(@Payload({ schema: CheckMessage }) message: z.infer<typeof CheckMessage>) {
    return this.queries.execute(new Check(toQuestion(message)));
  }

  @GrpcMethod('AuthzService', 'BatchCheck')
  @AllowedClients(ANY_SERVICE)
  async batchCheck(
    @Payload({ schema: BatchCheckMessage }) { checks }: z.infer<typeof BatchCheckMessage>,
  ) {
    return { results: await this.queries.execute(new CheckBatch(checks.map(toQuestion))) };
  }

  @GrpcMethod('AuthzService', 'ListGrants')
  @AllowedClients(ANY_SERVICE)
  async listGrants(
    @Payload({ schema: SubjectMessage }) { subjectId }: z.infer<typeof SubjectMessage>,
  ) {
    return { grants: grantsMessage(await this.feed.grantsOf(subjectId)) };
  }

  @GrpcMethod('AuthzService', 'ListRoles')
  @AllowedClients(ANY_SERVICE)
  async listRoles() {
    const { number, roles } = await this.feed.roles();
    return { number, roles: roles.map(roleMessage) };
  }

  @GrpcMethod('AuthzService', 'WatchChanges')
  @AllowedClients(ANY_SERVICE)
  watchChanges(@Payload({ schema: WatchMessage }) { after }: z.infer<typeof WatchMessage>) {
    return fromSource((signal) => this.feed.watch(after, signal)).pipe(map(watchMessage));
  }

  @GrpcMethod('AuthzService', 'RegisterPermissions')
  @AllowedClients(ANY_SERVICE)
  registerPermissions(
    @Payload({ schema: RegisterPermissionsMessage }) message: RegisterPermissionsMessage,
  ) {
    const service = requestContext.require().caller;
    if (service === undefined) throw new NotAuthenticated();
    return this.commands.execute(new RegisterPermissions(service, message));
  }

  @GrpcMethod('AuthzService', 'BootstrapAdministrator')
  @AllowedClients('provisioner')
  bootstrapAdministrator(
    @Payload({ schema: UserMessage }) { userId }: z.infer<typeof UserMessage>,
  ) {
    return this.commands.execute(new BootstrapAdministrator(userId));
  }
}

function toQuestion(message: z.infer<typeof CheckMessage>): CheckBody {
  const { subjectId, subjectType, permission, scope } = message;
  return { subject_id: subjectId, subject_type: subjectType, permission, scope };
}
