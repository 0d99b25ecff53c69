import { RequestHead } from './request-head.ts';

const head = (...raw: string[]) => new RequestHead(['Host', 'api.example', ...raw]);

describe('the head of a request from outside', () => {
  it.each([
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'x-forwarded-user',
    'Forwarded',
    'Gatehouse-Via',
    'gatehouse-anything',
    'X-User-Id',
    'X_User_Id',
    'X.User.Id',
    'x_forwarded_for',
    'X-Real-IP',
    'True-Client-IP',
    'Remote-User',
    'X-HTTP-Method-Override',
    'X-Original-URL',
    'X-Rewrite-Url',
    'X-Request-Id',
    'traceparent',
    'Proxy-Authorization',
    'Keep-Alive',
    'Upgrade',
    'Expect',
    'TE',
  ])('never passes %s on', (name) => {
    expect(head(name, 'x', 'Accept', '*/*').forwarded).toEqual(['accept', '*/*']);
  });

  it('passes what is end to end on in its order, repeated fields included', () => {
    const { forwarded } = head('Accept', 'a', 'If-Match', '"7"', 'accept', 'b');
    expect(forwarded).toEqual(['accept', 'a', 'if-match', '"7"', 'accept', 'b']);
  });

  it('drops what Connection lists, in any case and across fields', () => {
    const { forwarded } = head(
      'Connection',
      'close, X-One',
      'x-one',
      '1',
      'Connection',
      'x-two',
      'X-Two',
      '2',
      'X-Three',
      '3',
    );
    expect(forwarded).toEqual(['x-three', '3']);
  });

  it.each([
    ['a length beside chunks', ['Content-Length', '1', 'Transfer-Encoding', 'chunked'], 'framing'],
    ['two lengths', ['Content-Length', '1', 'content-length', '1'], 'framing'],
    ['a length with a sign', ['Content-Length', '+1'], 'framing'],
    ['a coding below chunked', ['Transfer-Encoding', 'gzip, chunked'], 'framing'],
    ['two hosts', ['Host', 'other.example'], 'host'],
    ['two credentials', ['Authorization', 'a', 'Authorization', 'b'], 'duplicate'],
  ])('is refused with %s', (_name, raw, problem) => {
    expect(head(...raw).problem).toBe(problem);
  });

  it.each(['a b', 'a/b', 'user@host', 'a,b', '"x"', 'a:b:c'])('is refused with host %s', (host) => {
    expect(new RequestHead(['Host', host]).problem).toBe('host');
  });

  it.each(['localhost:8080', 'api.example', '[::1]:80', '127.0.0.1'])('takes host %s', (host) => {
    expect(new RequestHead(['Host', host]).problem).toBeUndefined();
  });

  it('is refused with more than a hundred fields, however many Node shows', () => {
    const raw = Array.from({ length: 100 }, (_, index) => [`x-${index}`, '1']).flat();
    expect(head(...raw).problem).toBe('too-many-fields');
  });

  it('takes no trace context where two claim to be it', () => {
    expect(head('traceparent', 'a', 'traceparent', 'b').traceparent).toBe('');
  });
});
