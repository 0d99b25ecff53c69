import type { BufferedAuditTrail } from '@gatehouse/guards';
import { newRequestContext, requestContext } from '@gatehouse/kernel';
import type { Exchange } from '../front/exchange.ts';
import type { DenialRecord } from '../front/ports.ts';
import { segmentAt } from '../routing/route-tree.ts';

/** Records what the edge refused for want of a permission: the service never sees it, so nobody else would. */
export class DenialTrail implements DenialRecord {
  constructor(private readonly trail: Pick<BufferedAuditTrail, 'add'>) {}

  denied(exchange: Exchange, permission: string): void {
    const { route, principal, requestId, trace, client } = exchange;
    const context = newRequestContext({
      requestId,
      trace,
      clientIp: client.address,
      ...(principal === undefined ? {} : { principal }),
    });
    requestContext.run(context, () => {
      this.trail.add({
        action: route?.declaration.audited ?? permission,
        outcome: 'denied',
        reason: 'PERMISSION_DENIED',
        target: targetOf(exchange, permission),
        metadata: { operation: route?.declaration.operation, permission, at: 'gateway' },
      });
    });
  }
}

/** The resource the permission is about, and the id that stands first in the path. */
function targetOf(exchange: Exchange, permission: string): { type: string; id: string } {
  const { route, target, pathEnd } = exchange;
  const segments = route?.declaration.path.slice(1).split('/') ?? [];
  const position = segments.findIndex((segment) => segment.startsWith('{'));
  const id = position < 0 ? undefined : segmentAt(target, pathEnd, position);
  return { type: permission.split('.')[1] ?? '', id: id?.slice(0, 256) ?? '' };
}
