import { Controller, Get } from '@nestjs/common';

import { ADMIN_ROUTE, AdminRoute } from './admin-route.ts';

describe('@AdminRoute', () => {
  it('marks a method, or every method of a class', () => {
    class One {
      @AdminRoute()
      marked(): void {
        return;
      }
      other(): void {
        return;
      }
    }
    @AdminRoute()
    class All {
      first(): void {
        return;
      }
    }
    const marked = (method: object) => Reflect.getMetadata(ADMIN_ROUTE, method) as unknown;
    expect(marked(One.prototype.marked)).toBe(true);
    expect(marked(One.prototype.other)).toBeUndefined();
    expect(marked(All)).toBe(true);
    expect(marked(All.prototype.first)).toBe(true);
  });

  it('refuses a class that inherits a route, which would stay on the outer listener', () => {
    @Controller()
    class Parent {
      @Get('inherited')
      inherited(): void {
        return;
      }
    }
    expect(() => AdminRoute()(class Child extends Parent {})).toThrow(
      'Child must override the inherited inherited',
    );
  });
});
