import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { certificateFindings, type Finding } from '@gatehouse/kernel';
import { consulOptionsOf } from '@gatehouse/discovery';
import type { enginesOfEnvironment } from '../provision.config.ts';

const TIMEOUT_MS = 5_000;
/** PostgreSQL's SSLRequest: its length, and a code in the place of a protocol version. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

interface Server {
  name: string;
  host: string;
  port: number;
  /** What comes before TLS begins. */
  opening?: (socket: Socket) => Promise<void>;
}

/**
 * When the certificate that each engine shows ends, where it is spoken to over TLS. Whether it is to be trusted is for the
 * connections that are made with it to say; who shows none is passed over.
 */
export async function examineCertificates(
  engines: ReturnType<typeof enginesOfEnvironment>,
): Promise<Finding[]> {
  const expiries = await Promise.all(
    serversOf(engines).map(async (server): Promise<[string, number][]> => {
      const ends = await expiryAt(server).catch(() => NaN);
      return Number.isFinite(ends) ? [[`of ${server.name}`, ends]] : [];
    }),
  );
  const mend = 'issue a new one, and let that engine take it';
  return certificateFindings(new Map(expiries.flat()), Date.now()).map((finding) =>
    finding.state === 'ok' ? finding : { ...finding, mend },
  );
}

function serversOf({
  adminUrl,
  kafka,
  consul,
  redis,
}: ReturnType<typeof enginesOfEnvironment>): Server[] {
  const servers: Server[] = [];
  const postgres = new URL(adminUrl);
  const at = (url: URL, port: number) => ({
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || port,
  });
  if (![null, 'disable'].includes(postgres.searchParams.get('sslmode'))) {
    const name = `PostgreSQL at ${postgres.host}`;
    servers.push({ name, ...at(postgres, 5432), opening: askForTls });
  }
  if (kafka?.KAFKA_TLS === 'on') {
    for (const broker of kafka.KAFKA_BROKERS ?? []) {
      servers.push({ name: `Kafka at ${broker}`, ...at(new URL(`kafka://${broker}`), 9092) });
    }
  }
  if (consul) {
    const url = new URL(consulOptionsOf(consul).address);
    if (url.protocol === 'https:') {
      servers.push({ name: `Consul at ${url.host}`, ...at(url, 443) });
    }
  }
  if (redis?.tls) {
    const { host, port } = redis;
    servers.push({ name: `Redis at ${host}:${port}`, host, port });
  }
  return servers;
}

/** @returns seconds since the epoch */
async function expiryAt({ host, port, opening }: Server): Promise<number> {
  const plain = connectTcp({ host, port, timeout: TIMEOUT_MS });
  let secure: TLSSocket | undefined;
  try {
    await event(plain, 'connect');
    await opening?.(plain);
    // Only to be shown it: nothing is sent on this connection.
    secure = connectTls({ socket: plain, rejectUnauthorized: false });
    await event(secure, 'secureConnect');
    return Math.floor(Date.parse(secure.getPeerCertificate().valid_to) / 1000);
  } finally {
    secure?.destroy();
    plain.destroy();
  }
}

async function askForTls(socket: Socket): Promise<void> {
  const answered = event(socket, 'readable');
  socket.write(SSL_REQUEST);
  await answered;
  if (String(socket.read(1)) !== 'S') throw new Error('it speaks no TLS');
}

function event(socket: Socket, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(name, resolve);
    socket.once('error', reject);
    socket.once('timeout', () => reject(new Error('no answer in time')));
    socket.setTimeout(TIMEOUT_MS);
  });
}
