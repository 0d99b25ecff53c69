/** `google.protobuf.Timestamp` as proto-loader and ts-proto give it: seconds and nanoseconds since the epoch. */
export interface ProtoTimestamp {
  seconds: number;
  /** 0 to 999,999,999, also before 1970. */
  nanos: number;
}

/** Millisecond precision, which is what the platform stores. */
export function toTimestamp(date: Date): ProtoTimestamp {
  const milliseconds = date.getTime();
  if (Number.isNaN(milliseconds)) throw new RangeError('an invalid date has no timestamp');
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: (milliseconds - seconds * 1000) * 1_000_000 };
}

/** Rounds down to milliseconds. */
export function fromTimestamp(timestamp: ProtoTimestamp): Date {
  return new Date(timestamp.seconds * 1000 + Math.floor(timestamp.nanos / 1_000_000));
}
