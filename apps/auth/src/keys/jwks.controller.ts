import { Public } from '@gatehouse/guards';
import { Answers } from '@gatehouse/kernel';
import { Controller, Get, Header } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';

import { GetKeySet } from './queries/get-key-set.ts';

const JwkSetBody = z
  .object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string() })) })
  .meta({ id: 'JwkSet' });

/** The public signing keys, for whoever verifies our tokens outside of the platform. */
@Controller('.well-known')
export class JwksController {
  constructor(private readonly queries: QueryBus) {}

  @Get('jwks.json')
  @Public()
  @Header('Cache-Control', 'public, max-age=60')
  @Answers(200, JwkSetBody, 'A JWK Set (RFC 7517)')
  keySet() {
    return this.queries.execute(new GetKeySet());
  }
}
