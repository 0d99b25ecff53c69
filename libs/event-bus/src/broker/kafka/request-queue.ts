// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- every project that compiles this source needs it
/// <reference path="./kafkajs-internals.d.ts" />
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/**
 * kafkajs 2.2.4 asks for a timer after each request, whether or not anything waits to be sent: with a negative time, which
 * Node 24 warns of (TimeoutNegativeWarning) and turns into one millisecond, again and again for as long as the connection
 * is open. A check is needed only while a request waits; every push asks for one by itself.
 */
export function quietRequestQueue(): void {
  const queue = RequestQueue.prototype;
  if (quieted.has(queue)) return;
  quieted.add(queue);
  const schedule = queue.scheduleCheckPendingRequests; // eslint-disable-line @typescript-eslint/unbound-method -- called on its queue
  queue.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}

const quieted = new WeakSet<object>();
