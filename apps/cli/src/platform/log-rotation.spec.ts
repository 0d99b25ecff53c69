import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rotateLogs } from './log-rotation.ts';

describe('log rotation', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gatehouse-logs-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');

  it('leaves small files alone', () => {
    writeFileSync(join(folder, 'auth.log'), 'small');
    expect(rotateLogs(folder, { maxBytes: 10 })).toEqual([]);
    expect(readdirSync(folder)).toEqual(['auth.log']);
  });

  it('lets a process go on writing to the file it holds open', () => {
    const file = join(folder, 'auth.log');
    const handle = openSync(file, 'a');
    writeSync(handle, 'long enough\n');
    rotateLogs(folder, { maxBytes: 10 });
    writeSync(handle, 'next\n');
    closeSync(handle);
    expect(text('auth.log.1')).toBe('long enough\n');
    expect(text('auth.log')).toBe('next\n');
  });

  it('keeps so many and no more, the latest as .1', () => {
    for (const n of [1, 2, 3, 4]) {
      writeFileSync(join(folder, 'auth.log'), `number ${n}`);
      rotateLogs(folder, { maxBytes: 1, keep: 2 });
    }
    expect(readdirSync(folder).sort()).toEqual(['auth.log', 'auth.log.1', 'auth.log.2']);
    expect([text('auth.log.1'), text('auth.log.2')]).toEqual(['number 4', 'number 3']);
  });
});
