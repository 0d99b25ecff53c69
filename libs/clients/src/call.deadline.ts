import { DeadlineExceeded } from '@gatehouse/contracts-platform';
import { requestContext } from '@gatehouse/kernel';

/**
 * When a call is given up, in milliseconds since the epoch: `ms` from now, or when the work in hand must be done,
 * whichever is first.
 * @throws {DeadlineExceeded} where that is over already: nothing is sent
 */
export function deadlineOf(ms: number | undefined): number | undefined {
  const now = Date.now();
  const own = ms === undefined ? Number.POSITIVE_INFINITY : now + ms;
  const inherited = requestContext.current()?.deadline ?? Number.POSITIVE_INFINITY;
  const deadline = Math.min(own, inherited);
  if (deadline <= now) throw new DeadlineExceeded('no time was left for the call');
  return deadline === Number.POSITIVE_INFINITY ? undefined : deadline;
}
