import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * A raw handler in front of the router of the HTTP listener (not the admin one): the gateway's relay. What it does not want
 * it hands to `next`, and Nest answers.
 */
export abstract class HttpFront {
  /** Must not throw. Called for every request, before any parsing. */
  abstract handle(request: IncomingMessage, response: ServerResponse, next: () => void): void;

  /**
   * Takes upgrades (WebSocket). Without it a request to upgrade is served as if it had not asked. The socket is the
   * front's from then on: it ends it in stop phase `close-listeners`, or the stop waits for it until its time is up.
   */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}
