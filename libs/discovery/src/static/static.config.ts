import { configOf } from '@gatehouse/kernel';
import { z } from 'zod';
import { DEFAULT_PORT, parseAddress, parsePlaces } from './places.ts';

/** What `parse` makes of the text, or a message that says what is wrong with it. */
const parsed = <T>(parse: (text: string) => T, example: string) =>
  z
    .string()
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    })
    .meta({ example });

/** Read only where instances are found by static addresses or DNS. */
export class StaticConfig extends configOf({
  /** Where each service's instances are asked for their entries. */
  DISCOVERY_STATIC: parsed(
    parsePlaces,
    '"auth=auth.shop.svc.cluster.local:3900;orders=10.0.0.7:3900,10.0.0.8:3900"',
  ),
  /** Where this instance answers with its own entry. */
  DISCOVERY_STATIC_LISTEN: parsed(
    (text) => parseAddress(text, DEFAULT_PORT),
    `0.0.0.0:${DEFAULT_PORT}`,
  ).default({ host: '0.0.0.0', port: DEFAULT_PORT }),
  /** The signed directory, as `gatehouse provision` wrote it; read again at every poll. */
  GATEHOUSE_DIRECTORY_FILE: z.string().min(1).meta({ example: '/etc/gatehouse/directory.jws' }),
}) {}
