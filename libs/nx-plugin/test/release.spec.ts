import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { WorkspaceCopy } from './support/workspace-copy.ts';

describe('a release after a feature and a fix', () => {
  let copy: WorkspaceCopy;
  let printed: string;
  beforeAll(async () => {
    copy = new WorkspaceCopy();
    copy.tag('v0.1.0');
    copy.commitChange('libs/kernel/src/index.ts', 'feat(kernel): say who asked');
    copy.commitChange('libs/cache/src/index.ts', 'fix(cache): forget in time');
    copy.commitChange('docs/architecture.md', 'docs(ways): a picture');
    printed = await copy.nx('release', '--dry-run', '--skip-publish');
  });
  afterAll(() => copy.remove());

  it('gives every package that is published one new version, and what it needs of the others too', () => {
    const published = globSync('{apps,libs,libs/contracts}/*/package.json', { cwd: copy.root })
      .filter((file) => !('private' in readJson(join(copy.root, file))))
      .sort();
    const written = [...printed.matchAll(/New version 0\.1\.1 written to manifest: (\S+)/g)];
    expect(written.map(([, file]) => file).sort()).toEqual(published);
    expect(published.length).toBeGreaterThan(20);
    expect(printed).not.toMatch(/^\+.*"@gatehouse\/[^"]+": "0\.1\.0"/m);
    expect(printed).toMatch(/^\+ +"@gatehouse\/kernel": "0\.1\.1"/m);
  });

  it('writes the changelog from the commits that a user cares about', () => {
    const entry = printed.slice(printed.indexOf('## 0.1.1'));
    expect(entry).toContain('- **kernel:** say who asked');
    expect(entry).toContain('- **cache:** forget in time');
    expect(entry).not.toContain('a picture');
  });
});

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as object;
