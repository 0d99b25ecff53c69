import { Observable } from 'rxjs';

/** A followed source as Nest's gRPC server takes a stream; ends the source when the caller hangs up. */
export function fromSource<T>(source: (signal: AbortSignal) => AsyncIterable<T>): Observable<T> {
  return new Observable((subscriber) => {
    const controller = new AbortController();
    void (async () => {
      try {
        for await (const item of source(controller.signal)) subscriber.next(item);
        subscriber.complete();
      } catch (error) {
        subscriber.error(error);
      }
    })();
    return () => controller.abort();
  });
}
