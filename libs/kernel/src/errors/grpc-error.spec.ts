import {
  commonErrors,
  DeadlineExceeded,
  ERROR_KINDS,
  PlatformError,
  RateLimited,
  RemoteError,
  ServiceUnavailable,
  ValidationFailed,
} from '@gatehouse/contracts-platform';
import { Metadata, status as Code } from '@grpc/grpc-js';

import { fromGrpcError, grpcCodeOf, toGrpcError } from './grpc-error.ts';

class ShopClosed extends PlatformError {
  static override readonly code = 'SHOP_CLOSED';
  static override readonly kind = 'failed-precondition';
  static override readonly title = 'The shop is closed';
}

const registry = commonErrors.extend([ShopClosed]);

describe('errors over gRPC', () => {
  it.each(ERROR_KINDS)('%s has a code that is no success', (kind) => {
    expect(grpcCodeOf(kind)).toBeGreaterThan(0);
  });

  it.each(registry.classes().map((each) => [each.code, each] as const))(
    '%s comes back as the class that was thrown',
    (_code, ErrorClass) => {
      const back = fromGrpcError(toGrpcError(new ErrorClass('just so')), registry);
      expect(back).toBeInstanceOf(ErrorClass);
      expect(back.detail).toBe(ErrorClass.kind === 'internal' ? ErrorClass.title : 'just so');
    },
  );

  it('keeps violations, retry time and metadata', () => {
    const sent = new ValidationFailed('wrong', {
      violations: [
        { pointer: '/a~1b', message: 'ä is no number' },
        { pointer: '', message: 'too long' },
      ],
      metadata: { field: 'a', empty: '' },
    });
    expect(fromGrpcError(toGrpcError(sent), registry)).toMatchObject({
      violations: sent.violations,
      metadata: sent.metadata,
    });
    const limited = new RateLimited(undefined, { retryAfterSeconds: 1.5 });
    expect(fromGrpcError(toGrpcError(limited), registry).retryAfterSeconds).toBeCloseTo(1.5);
  });

  it('is a RemoteError with code and kind where the class is not known', () => {
    const back = fromGrpcError(toGrpcError(new ShopClosed('on Sundays')), commonErrors);
    expect(back).toBeInstanceOf(RemoteError);
    expect(back).toMatchObject({
      code: 'SHOP_CLOSED',
      kind: 'failed-precondition',
      detail: 'on Sundays',
    });
  });

  it('tells the caller nothing of an error that is not ours', () => {
    const sent = toGrpcError(new Error('password=hunter2'));
    expect(sent.code).toBe(Code.INTERNAL);
    expect(JSON.stringify([sent.details, sent.message, sent.metadata.getMap()])).not.toContain(
      'hunter2',
    );
    expect(
      Buffer.from(sent.metadata.get('grpc-status-details-bin')[0] as Buffer).toString(),
    ).not.toContain('hunter2');
  });

  it.each([
    [Code.UNAVAILABLE, ServiceUnavailable],
    [Code.DEADLINE_EXCEEDED, DeadlineExceeded],
    [Code.NOT_FOUND, RemoteError],
    [Code.UNKNOWN, RemoteError],
  ])('understands status %i without details', (code, ErrorClass) => {
    expect(fromGrpcError(bare(code), registry)).toBeInstanceOf(ErrorClass);
  });

  it('gives the kind of a status without details', () => {
    expect(fromGrpcError(bare(Code.PERMISSION_DENIED), registry).kind).toBe('permission-denied');
    expect(fromGrpcError(bare(Code.DATA_LOSS), registry).kind).toBe('internal');
  });

  it('survives details that are rubbish or of another domain', () => {
    const rubbish = bare(Code.UNAVAILABLE);
    rubbish.metadata.set('grpc-status-details-bin', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 7]));
    expect(fromGrpcError(rubbish, registry)).toBeInstanceOf(ServiceUnavailable);
  });

  it('leaves what is no status to the caller as an internal error', () => {
    expect(fromGrpcError(new TypeError('x'), registry).code).toBe('INTERNAL_ERROR');
    const own = new ShopClosed();
    expect(fromGrpcError(own, registry)).toBe(own);
  });
});

function bare(code: Code) {
  return Object.assign(new Error('transport'), {
    code,
    details: 'transport',
    metadata: new Metadata(),
  });
}
