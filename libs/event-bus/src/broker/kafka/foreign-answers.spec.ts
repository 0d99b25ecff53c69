import { foreignIn } from './foreign-answers.ts';

describe('the first bytes of an answer', () => {
  it.each([
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'it said "HTTP/1.1 400 Bad Req"'],
    ['Redis', Buffer.from("-ERR unknown command '\0'"), 'it said "-ERR unknown command"'],
    ['PostgreSQL', Buffer.from('E\0\0\0\x8eSFATAL\0VFATAL\0'), 'it said "E SFATAL VFATAL"'],
    ['MySQL', Buffer.from('\x4a\0\0\0\x0a8.4.0\0', 'latin1'), 'it said "J 8.4.0"'],
  ])("of %s are no broker's", (_name, first, message) => {
    expect(foreignIn(first)).toMatchObject({ code: 'ERR_NOT_KAFKA', message });
  });

  it('of TLS are told apart: the broker behind it may be right', () => {
    const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 80]);
    expect(foreignIn(alert)).toMatchObject({ code: 'ERR_SPEAKS_TLS' });
  });

  it("may be Kafka's where they are a length, or too few to tell", () => {
    expect(foreignIn(Buffer.from([0, 0, 1, 0x6a, 0, 0, 0, 0]))).toBeUndefined();
    expect(foreignIn(Buffer.from('HT'))).toBeUndefined();
  });
});
