import { describe, expect, it } from '@jest/globals';

import { Decimal, paragraphs } from './schemas.ts';

describe('paragraphs', () => {
  it('are lines of text, trimmed, ended one way', () => {
    expect(paragraphs(20).parse(' one\r\ntwo\tthree\n')).toBe('one\ntwo\tthree');
  });

  it.each(['', ' \n ', 'a\u0000b', '\u001b[31m', '\ud800', 'x'.repeat(21)])(
    'are not %j',
    (text) => {
      expect(paragraphs(20).safeParse(text).success).toBe(false);
    },
  );
});

describe('a decimal', () => {
  it.each(['0', '12.50', '-0.0001', '999999999999999.9999'])('is %s, as it was said', (text) => {
    expect(Decimal.parse(text)).toBe(text);
  });

  it.each(['', '1.', '.5', '01', '-0', '-0.00', '1e3', '1,5', '+1', '1.00001', '1000000000000000'])(
    'is not %j',
    (text) => {
      expect(Decimal.safeParse(text).success).toBe(false);
    },
  );
});
