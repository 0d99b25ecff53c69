import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { barrierTo, refuseUnreachable } from './reachable.ts';

describe('what another user can reach', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-reachable-'));
    mkdirSync(join(folder, 'a'));
    chmodSync(folder, 0o711);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('ends at the first folder that others may not pass through', () => {
    expect(barrierTo(join(folder, 'a', 'b', 'not there yet'))).toBeUndefined();
    chmodSync(folder, 0o700);
    expect(barrierTo(join(folder, 'a', 'b'))).toBe(folder);
  });

  it('is refused by name, with a way out', () => {
    chmodSync(folder, 0o750);
    expect(() => refuseUnreachable(['/usr', join(folder, 'a', 'postgres')])).toThrow(
      `chmod o+x ${folder}`,
    );
  });
});
