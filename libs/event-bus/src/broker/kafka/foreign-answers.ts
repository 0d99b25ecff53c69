// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- every project that compiles this source needs it
/// <reference path="./kafkajs-internals.d.ts" />
import type { ISocketFactory } from 'kafkajs';
import kafkajsSockets from 'kafkajs/src/network/socketFactory.js';

/** What answered is no Kafka: its first bytes cannot begin an answer of a broker. */
export const NOT_KAFKA = 'ERR_NOT_KAFKA';
/** What answered speaks TLS, and was spoken to without. */
export const SPEAKS_TLS = 'ERR_SPEAKS_TLS';

/** No answer is longer; the first four bytes of text, or of a TLS record, read as a length, are. */
const LONGEST_ANSWER = 100 * 1024 * 1024;
const TLS_ALERT = 0x15;

/**
 * Sockets that end as soon as something else than Kafka answers: kafkajs would take the first bytes of "HTTP/1.1 400" for a
 * length, and wait for the rest until its patience ends. What says nothing may still become a broker, and is left alone.
 */
export function knowingForeigners(factory: ISocketFactory = kafkajsSockets()): ISocketFactory {
  return (options) => {
    const socket = factory(options);
    socket.once('data', (first: Buffer) => {
      const error = foreignIn(first);
      if (error) socket.destroy(error);
    });
    return socket;
  };
}

/** Of the first bytes of the first answer; undefined where they may be Kafka's. */
export function foreignIn(first: Buffer): (Error & { code: string }) | undefined {
  if (first.length < 4) return undefined;
  const length = first.readInt32BE(0);
  if (length >= 0 && length <= LONGEST_ANSWER) return undefined;
  if (first[0] === TLS_ALERT && first[1] === 3) {
    return Object.assign(new Error('it answered with an alert of TLS'), { code: SPEAKS_TLS });
  }
  const said = first
    .subarray(0, 20)
    .toString('latin1')
    .replaceAll(/[^ -~]+/g, ' ')
    .trim();
  return Object.assign(new Error(`it said ${JSON.stringify(said)}`), { code: NOT_KAFKA });
}
