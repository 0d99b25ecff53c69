import { auditV1 } from '@gatehouse/contracts-audit';
import { AdminRoute } from '@gatehouse/kernel';
import { describe, expect, it } from '@jest/globals';
import { All, Controller, Get, Post, type Type } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

import {
  AllowedClients,
  Authenticated,
  Public,
  RateLimit,
  RequirePermission,
} from '../src/index.ts';
import { GuardedService } from './support/guarded-service.ts';

const starting = (controller: Type, grpc = false) =>
  GuardedService.start(
    { controllers: [controller] },
    { ...(grpc && { grpc: [auditV1] }), wait: false },
  );

/** Starts, and stops again where that did not fail. */
const problemOf = async (controller: Type, grpc = false): Promise<string> => {
  try {
    await (await starting(controller, grpc)).stop();
    return 'started';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the start', () => {
  it('stops at a route that declares no access, and names every one', async () => {
    @Controller('v1/orders')
    class Forgetful {
      @Get()
      @Public()
      fine() {
        return {};
      }
      @Get(':id')
      forgotten() {
        return {};
      }
      @Post('too')
      alsoForgotten() {
        return {};
      }
    }
    const problem = await problemOf(Forgetful);
    expect(problem).toContain('Forgetful.forgotten (GET /v1/orders/{id}) declares no access');
    expect(problem).toContain('Forgetful.alsoForgotten (POST /v1/orders/too) declares no access');
    expect(problem).not.toContain('Forgetful.fine');
  });

  it('stops at a gRPC method that declares no access', async () => {
    @Controller()
    class Forgetful {
      @GrpcMethod('AuditService', 'Record')
      record() {
        return {};
      }
    }
    expect(await problemOf(Forgetful, true)).toContain(
      'Forgetful.record (AuditService.Record) declares no access',
    );
  });

  it('goes on where the class declares it, or the route is for operators', async () => {
    @Controller('v1/orders')
    @Authenticated()
    class Declared {
      @Get()
      list() {
        return {};
      }
      @Get('stats')
      @AdminRoute()
      stats() {
        return {};
      }
    }
    expect(await problemOf(Declared)).toBe('started');
  });

  it.each<[string, () => Type, string]>([
    [
      'a permission outside the namespace',
      () => {
        @Controller('v1/orders')
        class Stranger {
          @Get()
          @RequirePermission('identity.user.delete')
          get() {
            return {};
          }
        }
        return Stranger;
      },
      'identity.user.delete is outside the namespace orders',
    ],
    [
      'a permission with two scopes',
      () => {
        @Controller('v1/orders')
        class Torn {
          @Get('a')
          @RequirePermission('orders.order.read')
          a() {
            return {};
          }
          @Get('b')
          @RequirePermission('orders.order.read', { scope: 'platform' })
          b() {
            return {};
          }
        }
        return Torn;
      },
      'permission orders.order.read is declared with two scopes',
    ],
    [
      'orSelf that names no parameter',
      () => {
        @Controller('v1/orders')
        class Lost {
          @Get(':order')
          @RequirePermission('orders.order.read', { orSelf: 'id' })
          get() {
            return {};
          }
        }
        return Lost;
      },
      'Lost.get (GET /v1/orders/{order})',
    ],
    [
      'a limit by principal where there may be none',
      () => {
        @Controller('v1/orders')
        class Anonymous {
          @Get()
          @Public()
          @RateLimit({ limit: 1, per: '1m', by: 'principal' })
          get() {
            return {};
          }
        }
        return Anonymous;
      },
      'limits by principal',
    ],
    [
      '@Public together with @AllowedClients',
      () => {
        @Controller('v1/orders')
        class Torn {
          @Get()
          @Public()
          @AllowedClients('identity')
          get() {
            return {};
          }
        }
        return Torn;
      },
      'it is one or the other',
    ],
    [
      'a route for every method',
      () => {
        @Controller('v1/orders')
        class Wide {
          @All()
          @Authenticated()
          all() {
            return {};
          }
        }
        return Wide;
      },
      'Wide.all (ALL /v1/orders)',
    ],
  ])('stops at %s', async (_name, controller, message) => {
    expect(await problemOf(controller())).toContain(message);
  });
});

describe('an access decorator', () => {
  it('does not stand twice on a method, so that none is overwritten silently', () => {
    expect(() => {
      class Torn {
        @Public()
        @RequirePermission('orders.order.read')
        get() {
          return {};
        }
      }
      return Torn;
    }).toThrow(
      'Torn.get has an access decorator (@Public, @Authenticated or @RequirePermission) twice',
    );
  });

  it('may stand on a method below one on its class, and wins', async () => {
    @Controller('v1/orders')
    @Authenticated()
    class Mixed {
      @Get('open')
      @Public()
      open() {
        return {};
      }
      @Get('closed')
      closed() {
        return {};
      }
    }
    const service = await starting(Mixed);
    expect((await service.fetch('/v1/orders/open')).status).toBe(200);
    expect((await service.fetch('/v1/orders/closed')).status).toBe(401);
    await service.stop();
  });
});
