import { configOf } from '@gatehouse/kernel';
import { z } from 'zod';

/** Read only where PostgreSQL holds the registry. */
export class PostgresRegistryConfig extends configOf({
  /** The database that holds the registry; of the service's own role. */
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .meta({ example: 'postgresql://orders_app:...@127.0.0.1:5432/gatehouse' }),
}) {}
