import { type ChannelOptions, experimental, status } from '@grpc/grpc-js';

/** Where instances come from: `Discovery`, or what a test has. */
export interface InstanceSource {
  find(service: string): readonly { grpcAddress?: string }[];
  /** Calls `listener` after each change; returns the way to stop that. */
  watch(listener: () => void): () => void;
}

const SCHEME = 'gatehouse';
/**
 * A prefix of grpc-js's own: such an option stays the channel's alone. It holds a function, because a channel that is
 * traced prints its options.
 */
const SOURCE_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.gatehouse_instances`;

/** The target and option by which a channel finds the live instances of a service. */
export function discoveryTarget(
  service: string,
  source: InstanceSource,
): { target: string; options: ChannelOptions } {
  registerOnce();
  // grpc-js keeps a retry budget for each target of the process: each client has its own.
  return {
    target: `${SCHEME}://${++clients}/${service}`,
    options: { [SOURCE_OPTION]: () => source },
  };
}

/**
 * Resolves `gatehouse://<n>/identity` to the instances of identity that discovery has verified, and again at each
 * change. A connection to an instance that is no longer listed gets no more calls.
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
    this.source = (options[SOURCE_OPTION] as () => InstanceSource)();
  }

  /**
   * grpc-js asks for news whenever a connection breaks. They come by themselves: to repeat an unchanged list would
   * make it connect, fail and ask again without a pause. Nothing may be told from within this call.
   */
  updateResolution(): void {
    if (this.stopWatching) return;
    this.stopWatching = this.source.watch(() => this.report());
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
    this.listener(experimental.statusOrFromValue(endpoints), {}, null, '');
    // The empty list ended the connections, which an error alone would keep; the error makes calls fail now, which
    // the empty list alone would leave waiting.
    if (endpoints.length === 0) {
      this.listener(experimental.statusOrFromError(this.nobody()), {}, null, '');
    }
  }

  private nobody() {
    return { code: status.UNAVAILABLE, details: `no live instance of ${this.service} is known` };
  }
}

function endpointOf(address: string): experimental.Endpoint | undefined {
  const parts = experimental.splitHostPort(address);
  return parts?.port === undefined
    ? undefined
    : { addresses: [{ host: parts.host, port: parts.port }] };
}

let clients = 0;
let registered = false;
function registerOnce(): void {
  if (!registered) experimental.registerResolver(SCHEME, DiscoveryResolver);
  registered = true;
}
