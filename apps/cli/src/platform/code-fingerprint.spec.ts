import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CodeFingerprint } from './code-fingerprint.ts';

describe('the fingerprint of what a service runs', () => {
  let workspace: string;
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), text);
  };
  const fingerprint = (service: string) =>
    new CodeFingerprint(workspace).of({
      mainFile: join(workspace, 'apps', service, 'dist', 'main.js'),
    });

  beforeEach(() => {
    workspace = mkdtempSync(join(tmpdir(), 'gatehouse-fingerprint-'));
    write('apps/a/dist/main.js', 'a');
    write('apps/b/dist/main.js', 'b');
    write('libs/kernel/dist/index.js', 'kernel');
    write('libs/contracts/a/dist/index.js', 'contract');
  });
  afterEach(() => rmSync(workspace, { recursive: true }));

  it('is the same for the same code', () => {
    expect(fingerprint('a')).toBe(fingerprint('a'));
    expect(fingerprint('a')).not.toBe(fingerprint('b'));
  });

  it.each([
    'apps/a/dist/migrations/0002.js',
    'libs/kernel/dist/index.js',
    'libs/contracts/a/dist/index.js',
    'node_modules/@gatehouse/guards/dist/index.js',
  ])('changes with %s', (file) => {
    const before = fingerprint('a');
    write(file, 'changed');
    expect(fingerprint('a')).not.toBe(before);
  });

  it('does not change with another service', () => {
    const before = fingerprint('a');
    write('apps/b/dist/main.js', 'changed');
    expect(fingerprint('a')).toBe(before);
  });
});
