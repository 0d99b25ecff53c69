import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnd, sizeOf } from './read-end.ts';

describe('the end of a log', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-end-'));
    file = join(folder, 'x.log');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is told to a person: what happened and why, without the stack', () => {
    const err = { message: 'no such table', stack: 'Error: no such table\n  at ...' };
    writeFileSync(
      file,
      `${JSON.stringify({ level: 'fatal', msg: 'the start failed', err })}\nplain\n`,
    );
    expect(readEnd(file)).toBe('fatal: the start failed: no such table\nplain');
  });

  it('is that of this run alone, and no more than was asked for', () => {
    writeFileSync(file, 'before\n');
    const from = sizeOf(file);
    writeFileSync(file, 'before\none\ntwo\nthree\n');
    expect(readEnd(file, { from })).toBe('one\ntwo\nthree');
    expect(readEnd(file, { from, lines: 2 })).toBe('two\nthree');
  });

  it('begins with a whole line where the log is long', () => {
    writeFileSync(file, `${'x'.repeat(100_000)}\nlast\n`);
    expect(readEnd(file)).toBe('last');
  });

  it('is empty where there is no log', () => {
    expect([readEnd(file), sizeOf(file)]).toEqual(['', 0]);
  });
});
