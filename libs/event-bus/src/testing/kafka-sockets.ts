import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { ISocketFactory } from 'kafkajs';

const PRODUCE = 0;
/** Long enough for a broker to append what it got. */
const APPENDED_MS = 300;

/** Sockets of a kafkajs client that can be cut: for the brokers the client has died without a word. */
export class KafkaSockets {
  private readonly sockets = new Set<Socket>();
  private severed = false;
  private losing = 0;
  /** Produce requests whose answer was lost. */
  lost = 0;

  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    const socket = (ssl as typeof ssl | undefined)
      ? connectTls({ host, port, ...ssl }, onConnect)
      : connect({ host, port }, onConnect);
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    if (this.severed) setImmediate(() => cut(socket));
    this.watch(socket);
    return socket;
  };

  /** Nothing is said to the other side in the protocol; later sockets are cut as they open. */
  sever(): void {
    this.severed = true;
    for (const socket of this.sockets) cut(socket);
  }

  mend(): void {
    this.severed = false;
    this.losing = 0;
  }

  /** The brokers take so many produce requests, and their answers do not arrive. */
  loseAnswers(count: number): void {
    this.losing = count;
  }

  private watch(socket: Socket): void {
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (data: Buffer, ...rest: unknown[]) => {
      if (this.losing > 0 && data.length > 6 && data.readInt16BE(4) === PRODUCE) {
        this.losing -= 1;
        this.lost += 1;
        socket.pause();
        setTimeout(() => cut(socket), APPENDED_MS);
      }
      return write(data, ...rest);
    };
  }
}

function cut(socket: Socket): void {
  socket.destroy(new Error('The line is cut'));
}
