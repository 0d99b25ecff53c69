import { describe, expect, it } from '@jest/globals';
import { Observable, of } from 'rxjs';

import { authV1, type AuthServiceHandlers } from './contract.ts';
import type {
  AuthService,
  GetKeySetResponse,
  WatchRevocationsResponse,
} from './generated/gatehouse/auth/v1/auth.ts';

/** Most of the test is that this compiles. */
class Handlers implements Pick<AuthServiceHandlers, 'getKeySet' | 'watchRevocations'> {
  getKeySet(): GetKeySetResponse {
    return { signedKeySet: 'jws' };
  }

  watchRevocations(): Observable<WatchRevocationsResponse> {
    return of({ heartbeat: { head: 1 } });
  }
}

describe('the types of a contract', () => {
  it('give a caller a Promise for one answer and an AsyncIterable for a stream', () => {
    const call = (auth: AuthService) => {
      const one: Promise<GetKeySetResponse> = auth.getKeySet({});
      const stream: AsyncIterable<WatchRevocationsResponse> = auth.watchRevocations({ after: 0 });
      // @ts-expect-error -- a stream is not a Promise
      const wrong: Promise<WatchRevocationsResponse> = auth.watchRevocations({ after: 0 });
      return [one, stream, wrong];
    };
    const service: AuthService | undefined = authV1.client;
    expect([call, service]).toHaveLength(2);
  });

  it('let a server answer at once or with an Observable', () => {
    const handlers = new Handlers();
    expect(handlers.getKeySet()).toEqual({ signedKeySet: 'jws' });
    expect(handlers.watchRevocations()).toBeInstanceOf(Observable);
  });
});
