/** The one part of kafkajs that is mended from outside; see request-queue.ts. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    pending: unknown[];
    scheduleCheckPendingRequests(): void;
  }
}

/** How kafkajs opens sockets where it is not told otherwise; see foreign-answers.ts. */
declare module 'kafkajs/src/network/socketFactory.js' {
  export default function socketFactory(): import('kafkajs').ISocketFactory;
}
