/** One instance as the gateway's `/breakers` shows it. */
export interface Breaker {
  service: string;
  url: string;
  state: 'closed' | 'open' | 'half-open';
  times_ejected: number;
  in_flight: number;
  sent: number;
}

export interface RouteDeclaration {
  method: string;
  path: string;
  operation: string;
  access: { kind: 'public' | 'authenticated' | 'permission'; permission?: string };
}

export interface RejectedEntry {
  service: string;
  instance_id: string;
  reason: string;
}

/** What the gateway says of itself on its admin listener. */
export class Diagnostics {
  constructor(private readonly adminUrl: string) {}

  async breakers(service: string): Promise<Breaker[]> {
    const { breakers } = await this.read<{ breakers: Breaker[] }>('/breakers');
    return breakers.filter((breaker) => breaker.service === service);
  }

  async routesOf(service: string): Promise<RouteDeclaration[]> {
    const { services } = await this.read<{
      services: { service: string; versions: { routes: RouteDeclaration[] }[] }[];
    }>('/routes');
    return services
      .filter((served) => served.service === service)
      .flatMap(({ versions }) => versions.flatMap(({ routes }) => routes));
  }

  async refusedRoutes(): Promise<unknown[]> {
    return (await this.read<{ refused: unknown[] }>('/routes')).refused;
  }

  async rejected(): Promise<RejectedEntry[]> {
    return (await this.read<{ rejected: RejectedEntry[] }>('/instances')).rejected;
  }

  private async read<T>(path: string): Promise<T> {
    return (await (await fetch(`${this.adminUrl}${path}`)).json()) as T;
  }
}
