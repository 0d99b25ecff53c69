import type { INestApplicationContext } from '@nestjs/common';

import { inSpan } from './in-span.ts';
import type { Tracing } from './tracing.ts';

type Execute = (message: object, ...rest: unknown[]) => Promise<unknown>;
interface Bus {
  execute: Execute;
}

/**
 * Makes each command and query of a service a span of its own (`command PlaceOrder`), whatever transport it came by. Once
 * for the whole container, and only where tracing is on.
 */
export async function traceBuses(app: INestApplicationContext, tracing: Tracing): Promise<void> {
  if (!tracing.on) return;
  const { CommandBus, QueryBus } = await import('@nestjs/cqrs');
  for (const [kind, token] of [
    ['command', CommandBus],
    ['query', QueryBus],
  ] as const) {
    // A process without CQRS has neither.
    let bus: Bus;
    try {
      bus = app.get<Bus>(token, { strict: false });
    } catch {
      continue;
    }
    const execute: Execute = bus.execute.bind(bus);
    bus.execute = (message, ...rest) =>
      inSpan(`${kind} ${message.constructor.name}`, {}, () => execute(message, ...rest));
  }
}
