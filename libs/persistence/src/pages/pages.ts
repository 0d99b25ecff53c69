import { Injectable } from '@nestjs/common';
import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { PageTokens } from './page-token.ts';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from './page.schemas.ts';

export interface PageRequest {
  /** 1 to 200; default 25. */
  pageSize?: number | undefined;
  pageToken?: string | undefined;
  /**
   * Properties of the entity that order the list, `-` before a descending one: `['-created_at', 'id']`. Together
   * they must tell any two rows apart, and none may be null. Their index serves every page alike.
   */
  orderBy: readonly string[];
  /** What else the query depends on (filters, tenant): a token is refused where this differs. */
  bind?: Record<string, unknown>;
}

export interface Page<T> {
  items: T[];
  next_page_token: string | null;
}

/** Cursor pages: rows added or removed meanwhile shift nothing, and page 1,000 costs what page 1 does. */
@Injectable()
export class Pages {
  constructor(private readonly tokens: PageTokens) {}

  /**
   * @param query selects one entity, with its filters; joins that multiply rows are not for pages
   * @throws InvalidPageToken
   */
  async paginate<T extends ObjectLiteral>(
    query: SelectQueryBuilder<T>,
    { pageSize = DEFAULT_PAGE_SIZE, pageToken, orderBy, bind = {} }: PageRequest,
  ): Promise<Page<T>> {
    const size = Math.min(Math.max(1, pageSize), MAX_PAGE_SIZE);
    const order = orderBy.map(parseOrder);
    const { alias } = query;
    const bound = { of: query.expressionMap.mainAlias?.metadata.tablePath, orderBy, bind };
    if (pageToken !== undefined) {
      const place = this.tokens.read(pageToken, bound);
      query.andWhere(afterPlace(alias, order), placeParameters(place));
    }
    for (const [index, { property, direction }] of order.entries()) {
      query.addOrderBy(`${alias}.${property}`, direction);
      // As text: a timestamp's microseconds would not survive a Date.
      query.addSelect(`CAST(${alias}.${property} AS text)`, `page_key_${index}`);
    }
    // One row more than asked for tells whether there is a next page.
    const { entities, raw } = await query
      .limit(size + 1)
      .getRawAndEntities<Record<string, string>>();
    if (entities.length <= size) return { items: entities, next_page_token: null };
    const last = raw[size - 1] ?? {};
    const place = order.map((_, index) => last[`page_key_${index}`] ?? '');
    return { items: entities.slice(0, size), next_page_token: this.tokens.issue(place, bound) };
  }
}

interface Order {
  property: string;
  direction: 'ASC' | 'DESC';
}

function parseOrder(text: string): Order {
  return text.startsWith('-')
    ? { property: text.slice(1), direction: 'DESC' }
    : { property: text, direction: 'ASC' };
}

/** `(a, b) > (:0, :1)` where all directions agree, which an index serves; else written out. */
function afterPlace(alias: string, order: readonly Order[]): string {
  const first = order[0];
  if (!first) throw new Error('a page needs an order');
  const column = ({ property }: Order) => `${alias}.${property}`;
  if (order.every(({ direction }) => direction === first.direction)) {
    const columns = order.map(column).join(', ');
    const values = order.map((_, index) => `:page_place_${index}`).join(', ');
    return `(${columns}) ${first.direction === 'ASC' ? '>' : '<'} (${values})`;
  }
  const alternatives = order.map((item, index) => {
    const equal = order.slice(0, index).map((o, i) => `${column(o)} = :page_place_${i}`);
    const beyond = `${column(item)} ${item.direction === 'ASC' ? '>' : '<'} :page_place_${index}`;
    return `(${[...equal, beyond].join(' AND ')})`;
  });
  return `(${alternatives.join(' OR ')})`;
}

function placeParameters(place: readonly string[]): Record<string, string> {
  return Object.fromEntries(place.map((value, index) => [`page_place_${index}`, value]));
}
