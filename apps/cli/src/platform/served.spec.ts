import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { servedElsewhere, serveInstead } from './served.ts';

describe('services that somebody else runs', () => {
  let folder: string;
  beforeEach(() => (folder = join(mkdtempSync(join(tmpdir(), 'gatehouse-served-')), 'served')));
  afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

  it('are those that a living process holds', () => {
    expect(servedElsewhere(folder)).toEqual(new Set());
    const comeBack = serveInstead(folder, 'identity');
    expect(servedElsewhere(folder)).toEqual(new Set(['identity']));
    comeBack();
    expect(servedElsewhere(folder)).toEqual(new Set());
  });

  it('are not those of a process that is gone', () => {
    serveInstead(folder, 'identity');
    writeFileSync(join(folder, 'identity.json'), '{"pid":1073741824,"startedAt":"1"}');
    expect(servedElsewhere(folder)).toEqual(new Set());
  });
});
