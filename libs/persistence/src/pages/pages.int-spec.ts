import { randomBytes } from 'node:crypto';
import { InvalidPageToken } from '@gatehouse/contracts-platform';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Database } from '../database/database.ts';
import { provisionedDatabase, type ProvisionedDatabase } from '../testing/index.ts';
import { PageTokens } from './page-token.ts';
import { type Page, type PageRequest, Pages } from './pages.ts';

@Entity('thing')
class Thing {
  @PrimaryColumn('integer')
  id!: number;

  @Column('timestamptz', { name: 'made_at' })
  madeAt!: Date;

  @Column('text')
  colour!: string;
}

let provisioned: ProvisionedDatabase;
let database: Database;
const key = randomBytes(32).toString('base64');
const pages = new Pages(new PageTokens(key));

beforeAll(async () => {
  provisioned = await provisionedDatabase({
    services: {
      things: [
        {
          name: '0001',
          up: `CREATE TABLE thing (id int PRIMARY KEY, made_at timestamptz NOT NULL, colour text NOT NULL);
               -- three rows to a microsecond, so that a Date could not tell the groups apart
               INSERT INTO thing SELECT n, timestamptz '2026-01-01' + (n / 3) * interval '1 microsecond',
                 CASE WHEN n % 2 = 0 THEN 'red' ELSE 'blue' END FROM generate_series(1, 50) n`,
        },
      ],
    },
  });
  database = await provisioned.open('things', { entities: [Thing] });
}, 60_000);
afterAll(() => provisioned.drop());

const list = (request: Partial<PageRequest> = {}, colour?: string): Promise<Page<Thing>> => {
  const query = database.repository(Thing).createQueryBuilder('thing');
  if (colour) query.where('thing.colour = :colour', { colour });
  return pages.paginate(query, {
    pageSize: 7,
    orderBy: ['madeAt', 'id'],
    bind: { colour },
    ...request,
  });
};

async function all(request: Partial<PageRequest> = {}, colour?: string): Promise<number[]> {
  const ids: number[] = [];
  let token: string | null | undefined;
  do {
    const page = await list({ ...request, pageToken: token ?? undefined }, colour);
    ids.push(...page.items.map(({ id }) => id));
    token = page.next_page_token;
  } while (token);
  return ids;
}

const upTo50 = Array.from({ length: 50 }, (_, index) => index + 1);

describe('pages', () => {
  it.each([
    ['ascending', ['madeAt', 'id'], upTo50],
    ['descending', ['-madeAt', '-id'], upTo50.toReversed()],
  ])('hold each row once, %s', async (_name, orderBy, expected) => {
    expect(await all({ orderBy })).toEqual(expected);
  });

  it('hold each row once in an order of both directions', async () => {
    const ids = await all({ orderBy: ['-colour', 'id'] });
    const [red, blue] = [0, 1].map((rest) => upTo50.filter((n) => n % 2 === rest));
    expect(ids).toEqual([...red!, ...blue!]);
  });

  it('keep the filters of the query', async () => {
    expect(await all({}, 'red')).toEqual(upTo50.filter((n) => n % 2 === 0));
  });

  it('end without a token, also where the last is full', async () => {
    expect((await list({ pageSize: 50 })).next_page_token).toBeNull();
    expect((await list({ pageSize: 49 })).next_page_token).not.toBeNull();
  });

  it('are not shifted by a row that comes before them', async () => {
    const first = await list();
    await database.query(`INSERT INTO thing VALUES (0, '2025-01-01', 'red')`);
    const second = await list({ pageToken: first.next_page_token! });
    expect(second.items[0]?.id).toBe(8);
    await database.query('DELETE FROM thing WHERE id = 0');
  });
});

describe('a page token', () => {
  const token = async () => (await list()).next_page_token!;

  it('is refused at every bit that was altered', async () => {
    const bytes = Buffer.from(await token(), 'base64url');
    for (let index = 0; index < bytes.length; index++) {
      const forged = Buffer.from(bytes);
      forged[index]! ^= 1;
      await expect(list({ pageToken: forged.toString('base64url') })).rejects.toThrow(
        InvalidPageToken,
      );
    }
  });

  it('is refused by another query: filters, order', async () => {
    const pageToken = await token();
    await expect(list({ pageToken }, 'red')).rejects.toThrow(InvalidPageToken);
    await expect(list({ pageToken, orderBy: ['-madeAt', 'id'] })).rejects.toThrow(InvalidPageToken);
    await expect(list({ pageToken, bind: { organization: 'b' } })).rejects.toThrow(
      InvalidPageToken,
    );
  });

  it('is refused under another key, and when it is no token at all', async () => {
    const others = new PageTokens(randomBytes(32).toString('base64'));
    expect(() => others.read(others.issue(['1'], {}), { a: 1 })).toThrow(InvalidPageToken);
    const foreign = others.issue(['2026-01-01', '1'], {});
    for (const pageToken of [foreign, '', 'x', '%%%', '\u0000', `${await token()}=`]) {
      await expect(list({ pageToken })).rejects.toThrow(InvalidPageToken);
    }
  });

  it('may go on with another page size', async () => {
    expect((await list({ pageToken: await token(), pageSize: 2 })).items).toHaveLength(2);
  });
});
