import { connect } from 'node:net';

/**
 * A closed loop over raw sockets: each connection sends its next request when it has read the answer whole. Cheap on
 * purpose, so that what is measured is the proxy. Every answer must have status 200 and a Content-Length.
 *
 * @param {{ port: number, connections: number, seconds: number, requests: Buffer[] }} options
 * @returns {Promise<{ count: number, seconds: number, latencies: Float64Array }>} latencies in milliseconds, sorted
 */
export async function load({ port, connections, seconds, requests }) {
  const latencies = [];
  const started = performance.now();
  const until = started + seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, (_, index) =>
      loop({ port, requests, until, latencies, first: index }),
    ),
  );
  return {
    count: latencies.length,
    seconds: (performance.now() - started) / 1000,
    latencies: Float64Array.from(latencies).sort(),
  };
}

function loop({ port, requests, until, latencies, first }) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let next = first;
    let sentAt = 0;
    let buffered = Buffer.alloc(0);
    const send = () => {
      sentAt = performance.now();
      socket.write(requests[next++ % requests.length]);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
      const head = buffered.indexOf('\r\n\r\n');
      if (head < 0) return;
      const text = buffered.latin1Slice(0, head + 2);
      const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1];
      if (!text.startsWith('HTTP/1.1 200') || length === undefined) {
        reject(new Error(`unexpected answer: ${buffered.toString('latin1').slice(0, 600)}`));
        socket.destroy();
        return;
      }
      if (buffered.length < head + 4 + Number(length)) return;
      buffered = Buffer.alloc(0);
      const now = performance.now();
      latencies.push(now - sentAt);
      if (now < until) send();
      else {
        socket.destroy();
        resolve();
      }
    });
  });
}

export function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
