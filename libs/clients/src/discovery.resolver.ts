import { experimental, type ChannelOptions } from '@grpc/grpc-js';

/** Where instances come from: `Discovery`, or what a test has. */
export interface InstanceSource {
  find(service: string): readonly { grpcAddress?: string }[];
  /** Calls `listener` after each change; returns the way to stop that. */
  watch(listener: () => void): () => void;
}

const SCHEME = 'gatehouse';
/** A prefix of grpc-js's own: such an option is the channel's alone and keeps no two channels from sharing a connection. */
const SOURCE_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.gatehouse_instances`;

/** The target and option by which a channel finds the live instances of a service. */
export function discoveryTarget(
  service: string,
  source: InstanceSource,
): { target: string; options: ChannelOptions } {
  registerOnce();
  return { target: `${SCHEME}:///${service}`, options: { [SOURCE_OPTION]: source } };
}

/**
 * Resolves `gatehouse:///identity` to the instances of identity that discovery has verified, and again at each
 * change. With nobody there the list is empty, not an error: grpc-js keeps connections over an error, and an
 * instance whose service has left the directory must get no more calls.
 */
class DiscoveryResolver implements experimental.Resolver {
  private readonly service: string;
  private readonly source: InstanceSource;
  private stopWatching?: (() => void) | undefined;
  private reported?: string | undefined;

  constructor(
    target: experimental.GrpcUri,
    private readonly listener: experimental.ResolverListener,
    options: ChannelOptions,
  ) {
    this.service = target.path;
    this.source = options[SOURCE_OPTION] as InstanceSource;
  }

  updateResolution(): void {
    this.stopWatching ??= this.source.watch(() => this.report());
    // A connection broke, or the channel woke up: what is known is told again, never from within the request.
    this.reported = undefined;
    process.nextTick(() => this.report());
  }

  destroy(): void {
    this.stopWatching?.();
    this.stopWatching = undefined;
    this.reported = undefined;
  }

  static getDefaultAuthority(target: experimental.GrpcUri): string {
    return target.path;
  }

  private report(): void {
    if (!this.stopWatching) return;
    const addresses = this.source
      .find(this.service)
      .flatMap((instance) => instance.grpcAddress ?? [])
      .sort();
    const key = addresses.join();
    if (key === this.reported) return;
    this.reported = key;
    const endpoints = addresses.flatMap((address) => endpointOf(address) ?? []);
    this.listener(
      experimental.statusOrFromValue(endpoints),
      {},
      null,
      `no live instance of ${this.service}`,
    );
  }
}

function endpointOf(address: string): experimental.Endpoint | undefined {
  const parts = experimental.splitHostPort(address);
  return parts?.port === undefined
    ? undefined
    : { addresses: [{ host: parts.host, port: parts.port }] };
}

let registered = false;
function registerOnce(): void {
  if (!registered) experimental.registerResolver(SCHEME, DiscoveryResolver);
  registered = true;
}
