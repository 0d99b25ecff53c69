import { describeStatement } from './statement.ts';

describe('a statement as a span shows it', () => {
  it.each([
    ['SELECT id FROM users WHERE email = $1', 'SELECT users', 'users'],
    ['insert into "orders" (id) values ($1)', 'INSERT orders', 'orders'],
    ['UPDATE "identity"."users" SET name = $1', 'UPDATE identity.users', 'identity.users'],
    ['DELETE FROM outbox WHERE id = ANY ($1)', 'DELETE outbox', 'outbox'],
    ['SELECT 1 FROM a JOIN b ON true', 'SELECT a b', undefined],
    ['INSERT INTO a SELECT u.x FROM unnest($1::text[]) u (x)', 'INSERT a', 'a'],
    [
      'WITH held AS (UPDATE leases SET x = $1 RETURNING id) SELECT id FROM held',
      'WITH leases',
      'leases',
    ],
    ['COMMIT', 'COMMIT', undefined],
    ['', 'OTHER', undefined],
  ])('%s', (sql, summary, collection) => {
    expect(describeStatement(sql)).toMatchObject({ summary, collection });
  });

  it.each([
    [`SELECT 'canary', 12345, -1.5e10, E'it\\'s', 'it''s'`, `SELECT ?, ?, -?, ?, ?`],
    ['SELECT $tag$canary$tag$, $$canary$$', 'SELECT ?, ?'],
    ['SELECT 1 -- canary\nFROM t /* canary */ WHERE x = $12', 'SELECT ? FROM t WHERE x = $12'],
    ['SELECT "it\'s 5" FROM t2', 'SELECT "it\'s 5" FROM t2'],
    ["SELECT 'unfinished", "SELECT 'unfinished"],
  ])('takes the literals out of %s', (sql, text) => {
    expect(describeStatement(sql).text).toBe(text);
  });

  it('is no longer than 2,000 characters', () => {
    expect(describeStatement(`SELECT ${'a, '.repeat(5_000)} b`).text).toHaveLength(2_000);
  });
});
