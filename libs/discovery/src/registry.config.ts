import { configOf } from '@gatehouse/kernel';
import { z } from 'zod';

/** Which registry there is: DISCOVERY_STATIC, else CONSUL_HTTP_ADDR, else PostgreSQL. */
export class RegistryConfig extends configOf({
  /** No registry: instances are asked at these addresses or names. */
  DISCOVERY_STATIC: z.string().optional().meta({ example: 'auth=10.0.0.7:3900' }),
  /** The agent of this machine: discovery is on Consul. */
  CONSUL_HTTP_ADDR: z.string().optional().meta({ example: 'http://127.0.0.1:8500' }),
}) {}
