import { PayloadTooLarge, UnsupportedMediaType } from '@gatehouse/contracts-platform';
import type { Route } from '../routing/route.ts';
import type { Exchange } from './exchange.ts';

/**
 * What can be said of a body before it is read: its length and its media type. A body without a length is counted
 * while it streams. The syntax is the service's to judge.
 */
export function bodyStage(exchange: Exchange): void {
  const { head, route } = exchange;
  if (route === undefined || !head.hasBody) return;
  if (!takes(route, head.contentType)) {
    const taken = route.declaration.consumes.join(', ');
    throw new UnsupportedMediaType(taken === '' ? NO_BODY : `It takes ${taken}`);
  }
  const { body_limit: limit } = route.declaration;
  if (head.contentLength > limit) throw new PayloadTooLarge(`At most ${limit} bytes`);
}

/** The same for a path of the gateway itself: its pages are read, and its API takes a body by PUT alone. */
export function checkOwnBody({ head, method }: Exchange): void {
  if (head.hasBody && method !== 'PUT') throw new UnsupportedMediaType(NO_BODY);
}

const NO_BODY = 'The route takes no body';

function takes(route: Route, contentType: string | undefined): boolean {
  if (route.takesAnyMedia) return true;
  if (contentType === undefined) return false;
  const { consumes } = route.declaration;
  if (consumes.includes(contentType)) return true;
  const essence = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  return consumes.some(
    (taken) =>
      taken === essence || (taken.endsWith('/*') && essence.startsWith(taken.slice(0, -1))),
  );
}
