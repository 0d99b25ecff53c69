import { configOf } from '@gatehouse/kernel';
import { z } from 'zod';

/** Which registry there is: Consul with CONSUL_HTTP_ADDR, else PostgreSQL. */
export class RegistryConfig extends configOf({
  CONSUL_HTTP_ADDR: z.string().optional().meta({ example: 'http://127.0.0.1:8500' }),
}) {}
