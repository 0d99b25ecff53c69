import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

const WORKSPACE = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(WORKSPACE, file), 'utf8');
const pages = globSync(['*.md', '{docs,docker}/**/*.md', '{apps,libs,libs/contracts}/*/*.md'], {
  cwd: WORKSPACE,
});

describe.each(pages)('%s', (page) => {
  it('links to files that exist', () => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)/g)];
    const dead = links
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(join(WORKSPACE, dirname(page), target)));
    expect(dead).toEqual([]);
  });

  it('names files of the project that exist', () => {
    const named = [
      ...read(page).matchAll(/`((?:apps|libs|docs|bench)\/[\w./-]+\.(?:ts|js|md|json))`/g),
    ];
    const missing = named
      .map(([, file = '']) => file)
      .filter((file) => !existsSync(join(WORKSPACE, file)));
    expect(missing).toEqual([]);
  });
});

describe('docs/reference/configuration.md', () => {
  it('says of every variable what it means', () => {
    const rows = read('docs/reference/configuration.md').split('\n');
    const variables = rows.filter((row) => row.startsWith('| `'));
    expect(variables.length).toBeGreaterThan(100);
    expect(variables.filter((row) => /\|\s*\|$/.test(row))).toEqual([]);
  });

  // Its README.md says what a service that a team generated is told: nobody edits this page for it.
  it('is not the only page about variables: a service of a team has its own', () => {
    const core = new Set(['audit', 'auth', 'authz', 'cli', 'gateway', 'identity']);
    const declared = globSync('apps/*/src/**/*.config.ts', { cwd: WORKSPACE })
      .filter((file) => !core.has(file.split('/')[1] ?? ''))
      .flatMap((file) =>
        [...read(file).matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map(([, variable = '']) => ({
          page: `apps/${file.split('/')[1]}/README.md`,
          variable,
        })),
      );
    const missing = declared.filter(
      ({ page, variable }) => !read(page).includes(`\`${variable}\``),
    );
    expect(missing).toEqual([]);
  });
});

describe('docs/adr', () => {
  it('lists every decision', () => {
    const index = read('docs/adr/README.md');
    const decisions = globSync('[0-9]*.md', { cwd: join(WORKSPACE, 'docs/adr') });
    expect(decisions.length).toBeGreaterThan(0);
    for (const file of decisions) expect(index).toContain(`(${file})`);
  });
});
