import type { InstanceSource } from '../src/discovery.resolver.ts';
import type { EchoServer } from './echo.server.ts';

/** Instances of echo as a test lists them. */
export class StaticInstances implements InstanceSource {
  private readonly listeners = new Set<() => void>();
  private servers: EchoServer[] = [];

  constructor(...servers: EchoServer[]) {
    this.servers = servers;
  }

  set(...servers: EchoServer[]): void {
    this.servers = servers;
    for (const listener of this.listeners) listener();
  }

  find(service: string): { grpcAddress?: string }[] {
    return service === 'echo'
      ? this.servers.map((server) => ({ grpcAddress: server.address }))
      : [];
  }

  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
