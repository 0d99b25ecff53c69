import type { GrpcContract } from '@gatehouse/contracts-platform';
import type { ChannelOptions } from '@grpc/grpc-js';
import { fullNameOf, type ServiceMethod } from './service.methods.ts';

/**
 * How every channel behaves, by grpc-js's own means (gRFC A6 for retries):
 * - calls go round all connected instances; one that is down is passed over;
 * - an idempotent method is tried at most three times where the answer was UNAVAILABLE, with back-off, within the
 *   call's deadline. Any method is sent again where grpc-js knows that the server never saw it;
 * - the budget: each failure takes one of 200 tokens, each success gives a tenth of one back, and below half nothing
 *   is retried. So the loss of one instance with a hundred calls in flight is hidden, and a service in lasting
 *   trouble gets at most a tenth more calls;
 * - a connection that answers no ping for three seconds is dropped, so that a stopped process holds no call for long.
 */
export function channelOptions(contract: GrpcContract, methods: ServiceMethod[]): ChannelOptions {
  const service = fullNameOf(contract);
  const idempotent = methods.filter((method) => method.idempotent);
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: '0.05s',
    maxBackoff: '0.5s',
    backoffMultiplier: 2,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  return {
    'grpc.service_config': JSON.stringify({
      loadBalancingConfig: [{ round_robin: {} }],
      methodConfig:
        idempotent.length === 0
          ? []
          : [
              {
                name: idempotent.map((method) => ({ service, method: method.protoName })),
                retryPolicy,
              },
            ],
      retryThrottling: { maxTokens: 200, tokenRatio: 0.1 },
    }),
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 3_000,
    'grpc.enable_channelz': 0,
  };
}
