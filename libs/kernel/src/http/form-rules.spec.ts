import { ValidationFailed } from '@gatehouse/contracts-platform';

import { parseForm } from './form-rules.ts';

const parse = (text: string) => parseForm(Buffer.from(text, 'latin1'));

describe('parseForm', () => {
  it('reads names and values', () => {
    expect({ ...parse('grant_type=refresh_token&scope=a+b%20c') }).toEqual({
      grant_type: 'refresh_token',
      scope: 'a b c',
    });
  });

  it('makes an array of a repeated name, which no single value is', () => {
    expect(parse('a=1&a=2&a=3').a).toEqual(['1', '2', '3']);
  });

  it.each(['__proto__=x', 'a=%00', 'a%00=1', '\xff=1'])('refuses %p', (text) => {
    expect(() => parse(text)).toThrow(ValidationFailed);
  });
});
