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

describe('docs/operations.md', () => {
  // A service that a team has generated says in its own README.md what it is told: nobody edits this page for it.
  it('names every variable that a configuration reads, and no other', () => {
    const files = globSync('{apps,libs}/*/src/**/*.config.ts', { cwd: WORKSPACE });
    const declared = files.flatMap((file) =>
      [...read(file).matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map(([, name = '']) => name),
    );
    expect(declared.length).toBeGreaterThan(30);
    const pages = ['docs/operations.md', ...globSync('apps/*/README.md', { cwd: WORKSPACE })];
    const tables = pages.map((page) => read(page).split('## Configuration')[1] ?? '');
    const rows = tables.flatMap((text) =>
      text.split('\n').filter((line) => line.startsWith('| `')),
    );
    const documented = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name = '']) => name),
    );
    const migrator = 'MIGRATOR_DATABASE_URL';
    expect([...new Set(documented)].sort()).toEqual([...new Set([...declared, migrator])].sort());
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
