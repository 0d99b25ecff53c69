import { InvalidClient, InvalidRequest } from '@gatehouse/contracts-auth';
import { describe, expect, it } from '@jest/globals';

import { presentedClient } from './presented-client.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('the client of a token request', () => {
  it('is named by HTTP Basic, each half form-encoded', () => {
    expect(presentedClient(basic('a%3Ab:c%2Bd+e'), {})).toEqual({ id: 'a:b', secret: 'c+d e' });
    expect(presentedClient(basic('id:'), {})).toEqual({ id: 'id', secret: '' });
  });

  it('is named by the body, with a secret or without', () => {
    expect(presentedClient(undefined, { client_id: 'id', client_secret: 's' })).toEqual({
      id: 'id',
      secret: 's',
    });
    expect(presentedClient(undefined, { client_id: 'id' })).toEqual({ id: 'id' });
  });

  it('is named in one way alone', () => {
    const presented = () => presentedClient(basic('id:s'), { client_id: 'id', client_secret: 's' });
    expect(presented).toThrow(InvalidRequest);
    expect(() => presentedClient(basic('id:s'), { client_id: 'other' })).toThrow(InvalidRequest);
    expect(presentedClient(basic('id:s'), { client_id: 'id' })).toEqual({ id: 'id', secret: 's' });
  });

  it.each(['Bearer abc', 'Basic', 'Basic !!!', basic('nocolon'), basic('%zz:s'), ''])(
    'is not known by %j',
    (authorization) => {
      expect(() => presentedClient(authorization, {})).toThrow(InvalidClient);
    },
  );

  it('must be named', () => {
    expect(() => presentedClient(undefined, {})).toThrow(InvalidClient);
  });
});
