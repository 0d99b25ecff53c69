import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { AdministratorFile } from './administrator.ts';

describe('the first administrator', () => {
  let folder: string;
  let file: AdministratorFile;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-administrator-'));
    file = new AdministratorFile(join(folder, 'administrator.json'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is decided once: whatever is cut off resumes the same id and password', () => {
    const decided = file.decide(randomUUID, 'first@example.com');
    expect(decided.password).toHaveLength(24);
    expect(file.decide(randomUUID, 'second@example.com')).toEqual(decided);
  });

  it('is stored for its owner alone', () => {
    file.decide(randomUUID);
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
  });

  it('is known to be complete only when that was said', () => {
    const decided = file.decide(randomUUID);
    expect(file.read()?.completed_at).toBeUndefined();
    file.complete(decided);
    expect(file.read()).toEqual({ ...decided, completed_at: expect.any(String) as string });
  });

  it('is made again, as decided, where what was made is gone', () => {
    const decided = file.decide(randomUUID);
    file.complete(decided);
    file.reopen();
    expect(file.read()).toEqual(decided);
  });

  it('is never replaced because its file is damaged', () => {
    writeFileSync(file.path, '{');
    expect(() => file.decide(randomUUID)).toThrow('administrator.json is damaged');
  });
});
