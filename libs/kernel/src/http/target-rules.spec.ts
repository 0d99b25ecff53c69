import { ValidationFailed } from '@gatehouse/contracts-platform';

import { checkTarget } from './target-rules.ts';

describe('checkTarget', () => {
  it.each(['/v1/users', '/v1/users?q=a%20b&x=%C3%A9', '/v1/users?empty=&flag', '/a%2Fb?'])(
    'takes %s',
    (target) => {
      expect(() => checkTarget(target)).not.toThrow();
    },
  );

  it.each([
    '/a?q=%ff',
    '/a?q=%E0%A4',
    '/a?%ff=1',
    '/a?q=%',
    '/a?q=%00',
    '/a%00b',
    '/a?__proto__=1',
    '/a?%5F_proto__=1',
  ])('refuses %s', (target) => {
    expect(() => checkTarget(target)).toThrow(ValidationFailed);
  });
});
