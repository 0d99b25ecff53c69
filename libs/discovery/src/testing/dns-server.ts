import { createSocket, type Socket } from 'node:dgram';

const TYPES = { A: 1, SRV: 33 } as const;
const NOERROR = 0;
const SERVFAIL = 2;
const NXDOMAIN = 3;

/** A name server of a test: answers what its tables say, NXDOMAIN for the rest, and can fail. */
export class DnsServer {
  readonly a = new Map<string, string[]>();
  readonly srv = new Map<string, { name: string; port: number }[]>();
  /** While true it answers SERVFAIL. */
  failing = false;

  private constructor(private readonly socket: Socket) {
    socket.on('message', (query, peer) => {
      socket.send(this.answer(query), peer.port, peer.address);
    });
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new DnsServer(socket);
  }

  /** As `Resolver.setServers` takes it. */
  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(resolve));
  }

  /** RFC 1035, section 4: one question, answers whose name points to it. */
  private answer(query: Buffer): Buffer {
    const end = query.indexOf(0, 12) + 5;
    const question = query.subarray(12, end);
    const name = readName(question);
    const type = question.readUInt16BE(question.length - 4);
    const records =
      type === TYPES.A
        ? (this.a.get(name) ?? []).map((address) => Buffer.from(address.split('.').map(Number)))
        : type === TYPES.SRV
          ? (this.srv.get(name) ?? []).map(srvData)
          : [];
    const known = this.a.has(name) || this.srv.has(name);
    const status = this.failing ? SERVFAIL : known ? NOERROR : NXDOMAIN;
    const given = status === NOERROR ? records : [];
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | status, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(given.length, 6);
    return Buffer.concat([head, question, ...given.map((data) => record(type, data))]);
  }
}

function readName(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 0; question[at] !== 0; at += (question[at] ?? 0) + 1)
    labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] ?? 0)));
  return labels.join('.').toLowerCase();
}

function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  // The question's name; class IN; a time to live of 0 seconds.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function srvData({ name, port }: { name: string; port: number }): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(port, 4);
  const labels = name.split('.').map((label) => {
    return Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]);
  });
  return Buffer.concat([head, ...labels, Buffer.from([0])]);
}
