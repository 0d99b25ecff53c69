import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { ISocketFactory } from 'kafkajs';

/** Sockets of a kafkajs client that can be cut for good: for the brokers the client has died without a word. */
export class KafkaSockets {
  private readonly sockets = new Set<Socket>();
  private severed = false;

  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    const socket = (ssl as typeof ssl | undefined)
      ? connectTls({ host, port, ...ssl }, onConnect)
      : connect({ host, port }, onConnect);
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    if (this.severed) setImmediate(() => socket.destroy(new Error('The line is cut')));
    return socket;
  };

  /** Nothing is said to the other side in the protocol; later sockets are cut as they open. */
  sever(): void {
    this.severed = true;
    for (const socket of this.sockets) socket.destroy(new Error('The line is cut'));
  }

  mend(): void {
    this.severed = false;
  }
}
