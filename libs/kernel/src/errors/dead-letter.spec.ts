import { ServiceUnavailable } from '@gatehouse/contracts-platform';

import { toDeadLetter } from './dead-letter.ts';

describe('toDeadLetter', () => {
  it('keeps the code and kind of an error of ours', () => {
    expect(toDeadLetter(new ServiceUnavailable('mail is down'))).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      kind: 'unavailable',
      message: 'mail is down',
    });
  });

  it('keeps what really happened of any other, for operators', () => {
    const letter = toDeadLetter(new TypeError('x is undefined'));
    expect(letter).toMatchObject({ code: 'INTERNAL_ERROR', message: 'x is undefined' });
    expect(letter.stack).toContain('TypeError: x is undefined');
  });

  it.each([['a string'], [42], [undefined], [null]])('takes %p that was thrown', (thrown) => {
    expect(toDeadLetter(thrown)).toMatchObject({ code: 'INTERNAL_ERROR', message: String(thrown) });
  });
});
