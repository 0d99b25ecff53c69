import { GATEWAY, type ServicePackage } from '@gatehouse/launcher';

/** One process that runs a service. */
export interface Instance {
  /** The service's, with a number from the second on: `auth-2`. */
  name: string;
  service: ServicePackage;
  /** Where it is fixed where it listens: of a gateway. */
  ports?: { http: number; admin: number };
}

export interface InstancesOptions {
  gatewayPort: number;
  gatewayAdminPort: number;
  /** Of each service; default 1. */
  instances?: number;
  gateways?: number;
}

/** Gateways listen two ports apart, so that those of the first, mostly neighbours, are left alone. */
const APART = 2;

export function instancesOf(
  services: readonly ServicePackage[],
  { gatewayPort, gatewayAdminPort, instances = 1, gateways = 1 }: InstancesOptions,
): Instance[] {
  return services.flatMap((service) => {
    const isGateway = service.name === GATEWAY;
    return Array.from({ length: isGateway ? gateways : instances }, (_, index): Instance => {
      const name = index === 0 ? service.name : `${service.name}-${index + 1}`;
      if (!isGateway) return { name, service };
      const at = APART * index;
      return { name, service, ports: { http: gatewayPort + at, admin: gatewayAdminPort + at } };
    });
  });
}
