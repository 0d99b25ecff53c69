import { type PlatformError, ValidationFailed } from '@gatehouse/contracts-platform';
import type { ArgumentMetadata } from '@nestjs/common';
import { z } from 'zod';

import { emailSchema, line, Timestamp, Uuid } from './schemas.ts';
import { ValidationPipe } from './validation.pipe.ts';

const pipe = new ValidationPipe();
const judge = (value: unknown, metadata: ArgumentMetadata) =>
  pipe.transform(value, metadata).catch((error: unknown) => error as PlatformError);
const Order = z.strictObject({ items: z.array(z.strictObject({ 'a/b': z.int() })) });

describe('ValidationPipe', () => {
  it('hands on what the schema made of the value', async () => {
    expect(
      await judge({ size: '5' }, { type: 'query', schema: z.object({ size: z.coerce.number() }) }),
    ).toEqual({
      size: 5,
    });
  });

  it('leaves an argument without a schema', async () => {
    expect(await judge('x', { type: 'param' })).toBe('x');
  });

  it.each<[string, unknown, ArgumentMetadata, string[]]>([
    [
      'a member of the body',
      { items: [{ 'a/b': 'x' }] },
      { type: 'body', schema: Order },
      ['/items/0/a~1b'],
    ],
    [
      'an unknown member, where it stands',
      { items: [], a: 1, b: 2 },
      { type: 'body', schema: Order },
      ['/a', '/b'],
    ],
    ['a body that is missing', undefined, { type: 'body', schema: Order }, ['']],
    [
      'a query parameter',
      { size: 'x' },
      { type: 'query', schema: z.object({ size: z.coerce.number() }) },
      ['/query/size'],
    ],
    [
      'one named query parameter',
      'x',
      { type: 'query', data: 'size', schema: z.coerce.number() },
      ['/query/size'],
    ],
    ['a path parameter', 'x', { type: 'param', data: 'id', schema: Uuid }, ['/path/id']],
  ])('points at %s', async (_name, value, metadata, pointers) => {
    const error = await judge(value, metadata);
    expect(error).toBeInstanceOf(ValidationFailed);
    expect((error as PlatformError).violations.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it('does not repeat what was sent', async () => {
    const error = await judge(
      { password: 'hunter2' },
      {
        type: 'body',
        schema: z.strictObject({ password: z.string().min(15) }),
      },
    );
    expect(JSON.stringify((error as PlatformError).violations)).not.toContain('hunter2');
  });

  it('lists a bounded number of violations', async () => {
    const error = await judge(
      { items: Array(1000).fill({ 'a/b': 'x' }) },
      { type: 'body', schema: Order },
    );
    expect((error as PlatformError).violations).toHaveLength(50);
  });

  it('refuses a member called constructor like any other it does not know', async () => {
    const error = await judge(JSON.parse('{"items":[],"constructor":1}'), {
      type: 'body',
      schema: Order,
    });
    expect(error).toBeInstanceOf(ValidationFailed);
  });
});

describe('schemas', () => {
  it('compares ids and addresses in lower case', () => {
    expect(Uuid.parse('01980E3A-7A52-7C1A-8D5E-2F6B6F0C9A11')).toBe(
      '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11',
    );
    expect(emailSchema.parse(' Ada@Example.COM ')).toBe('ada@example.com');
  });

  it('takes lines of text without control characters', () => {
    expect(line(10).parse('  Ada  ')).toBe('Ada');
    for (const text of ['', '   ', 'a\nb', 'a\u0000', '\u001b[31m', 'x'.repeat(11), '\ud800']) {
      expect(line(10).safeParse(text).success).toBe(false);
    }
  });

  it('writes times with milliseconds in UTC', () => {
    expect(Timestamp.safeParse(new Date().toISOString()).success).toBe(true);
    expect(Timestamp.safeParse('2026-11-23T06:15:00+01:00').success).toBe(false);
  });
});
