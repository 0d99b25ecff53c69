import { ConfigError } from '@gatehouse/kernel';
import { describePostgres, postgresConnection, problemOfUrl } from './postgres-address.ts';

const url = 'postgres://orders_app:secret@db.internal/gatehouse';
const tlsCa = '-----BEGIN CERTIFICATE-----';

describe('a PostgreSQL address', () => {
  it('is not encrypted unless it says so, whatever PGSSLMODE is', () => {
    expect(postgresConnection({ url })).toEqual({ connectionString: url, ssl: false });
    expect(postgresConnection({ url: `${url}?sslmode=disable` }).ssl).toBe(false);
  });

  it('trusts whoever answers where it says `require` and no authority', () => {
    const { connectionString, ssl } = postgresConnection({ url: `${url}?sslmode=require` });
    expect(ssl).toEqual({ rejectUnauthorized: false });
    expect(connectionString).toBe(url);
  });

  it.each(['require', 'verify-ca'])('trusts any host of the authority where it says %s', (mode) => {
    const { ssl } = postgresConnection({ url: `${url}?sslmode=${mode}`, tlsCa });
    expect(ssl).toMatchObject({ ca: tlsCa, checkServerIdentity: expect.any(Function) as unknown });
    expect(ssl).not.toHaveProperty('rejectUnauthorized');
  });

  it('verifies all there is where it says `verify-full`', () => {
    const address = { url: `${url}?sslmode=verify-full`, tlsCa };
    expect(postgresConnection(address).ssl).toEqual({ ca: tlsCa });
  });

  it('keeps the other parameters', () => {
    const { connectionString } = postgresConnection({
      url: `${url}?sslmode=require&application_name=me`,
    });
    expect(connectionString).toBe(`${url}?application_name=me`);
  });

  it('is refused where an authority is given for a connection in plain text', () => {
    expect(() => postgresConnection({ url, tlsCa })).toThrow(ConfigError);
    expect(() => postgresConnection({ url, tlsCa })).toThrow('DATABASE_TLS_CA');
  });

  it.each([
    ['http://db/x', 'must be a URL that starts with postgres://'],
    [`${url}?sslmode=prefer`, 'sslmode must be one of disable, require, verify-ca, verify-full'],
    [`${url}?sslmode=`, 'sslmode must be one of'],
    [`${url}?sslrootcert=/etc/ca.pem`, 'says sslrootcert'],
    [`${url}?ssl=no-verify`, 'says ssl'],
  ])('%s is refused', (wrong, problem) => {
    expect(problemOfUrl(wrong)).toContain(problem);
  });

  it('is shown without its credentials', () => {
    expect(describePostgres(`${url}?sslmode=require`)).toBe('db.internal:5432/gatehouse');
  });
});
