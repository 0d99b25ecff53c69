import { describe, expect, it } from '@jest/globals';

import { missingIn } from './kafka-producer.ts';

describe('the answer to a request', () => {
  const written = new Set(['alpha.order/0', 'alpha.order/1']);
  const answered = (partition: number, errorCode = 0) => ({
    topicName: 'alpha.order',
    partition,
    errorCode,
  });

  it('must name every partition that was written to', () => {
    expect(missingIn([answered(0), answered(1)], written)).toEqual([]);
    expect(missingIn([answered(0)], written)).toEqual(['alpha.order/1']);
  });

  it('acknowledges no partition that it names with an error', () => {
    expect(missingIn([answered(0), answered(1, 6)], written)).toEqual(['alpha.order/1']);
  });
});
