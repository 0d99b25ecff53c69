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
  private readonly changes = new Map<number, (body: Buffer) => void>();
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
    if (this.changes.size > 0) this.changeAnswers(socket);
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

  /** Answers to requests of a kind are changed on their way; `body` begins behind the correlation id. Of later sockets. */
  change(apiKey: number, change: (body: Buffer) => void): void {
    this.changes.set(apiKey, change);
  }

  private changeAnswers(socket: Socket): void {
    const asked = new Map<number, number>();
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (data: Buffer, ...rest: unknown[]) => {
      asked.set(data.readInt32BE(8), data.readInt16BE(4));
      return write(data, ...rest);
    };
    const emit = socket.emit.bind(socket) as (...args: unknown[]) => boolean;
    let unread = Buffer.alloc(0);
    socket.emit = (event: unknown, ...args: unknown[]) => {
      if (event !== 'data') return emit(event, ...args);
      unread = Buffer.concat([unread, args[0] as Buffer]);
      while (unread.length >= 8 && unread.length >= 4 + unread.readInt32BE(0)) {
        const answer = unread.subarray(0, 4 + unread.readInt32BE(0));
        unread = unread.subarray(answer.length);
        this.changes.get(asked.get(answer.readInt32BE(4)) ?? -1)?.(answer.subarray(8));
        emit('data', answer);
      }
      return true;
    };
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
