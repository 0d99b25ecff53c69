import { requestContext } from '@gatehouse/kernel';
import { Sealer } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';

/** Where a call came from: personal, hence sealed at rest. */
export interface Origin {
  ip: string;
  userAgent: string;
}

const Sealed = z.object({ ip: z.string(), userAgent: z.string() });
const MAX_USER_AGENT = 400;

/** The address and user agent of the request in hand. */
export function originOf(userAgent: string | undefined): Origin {
  return {
    ip: requestContext.current()?.clientIp ?? '',
    userAgent: (userAgent ?? '').slice(0, MAX_USER_AGENT).toWellFormed().replaceAll('\0', ''),
  };
}

@Injectable()
export class SessionOrigins {
  constructor(private readonly sealer: Sealer) {}

  seal(sessionId: string, origin: Origin): Buffer {
    return this.sealer.seal(JSON.stringify(origin), context(sessionId));
  }

  open(sessionId: string, sealed: Buffer): Origin {
    return Sealed.parse(JSON.parse(this.sealer.open(sealed, context(sessionId)).toString('utf8')));
  }
}

const context = (sessionId: string): string => `auth.session-origin:${sessionId}`;
