import { z } from 'zod';

/** What a text column can hold: no NUL, no half characters. */
const storable = (text: string) => !text.includes('\0') && text.isWellFormed();

/** A UUID of any version, in lower case once read. */
export const Uuid = z
  .uuid()
  .toLowerCase()
  .meta({ example: '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11' });

/** RFC 3339 in UTC with milliseconds, as every time the platform writes. */
export const Timestamp = z.iso
  .datetime({ precision: 3 })
  .meta({ example: '2026-11-23T06:15:00.000Z' });

/** RFC 3339 as clients may send it: any offset and precision. Read as a Date. */
export const TimestampInput = z.iso
  .datetime({ offset: true })
  .meta({ example: '2026-11-23T06:15:00Z' });

/** A line of text for people: trimmed, in NFC, without control characters. */
export const line = (max: number) =>
  z
    .string()
    .trim()
    .normalize('NFC')
    .min(1)
    .max(max)
    // eslint-disable-next-line no-control-regex
    .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/, 'Control characters are not allowed')
    .refine(storable, 'The text holds half a character');

/** Text of any number of lines for people: trimmed, in NFC, lines ended by \n, without control characters but tabs. */
export const paragraphs = (max: number) =>
  z
    .string()
    .overwrite((text) => text.replaceAll('\r\n', '\n'))
    .trim()
    .normalize('NFC')
    .min(1)
    .max(max)
    // eslint-disable-next-line no-control-regex
    .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$/, 'Control characters are not allowed')
    .refine(storable, 'The text holds half a character');

/** An exact number as text, 15 digits before the point and 4 after it at most: a sum of money survives no binary fraction. */
export const Decimal = z
  .string()
  .regex(/^(?!-0(?:\.0+)?$)-?(?:0|[1-9]\d{0,14})(?:\.\d{1,4})?$/, 'Expected a number such as 12.50')
  .meta({ example: '12.50' });

/** An e-mail address, in lower case: addresses are compared without regard to case. */
export const emailSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .pipe(z.email())
  .meta({ example: 'ada@example.com' });
