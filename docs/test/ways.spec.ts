import { describe, expect, it } from '@jest/globals';
import { dirname, join, normalize } from 'node:path';

import { filesAt, textOf } from '../src/sources.ts';

const pages = filesAt('docs/ways/*.md');
/** [`AccessGuard`](../../libs/guards/src/access/access.guard.ts) */
const NAMED = /\[`(\w+)`\]\(([^)#]+\.ts)\)/g;

const namedIn = (page: string) =>
  [...textOf(page).matchAll(NAMED)].map(([, name = '', link = '']) => ({
    name,
    file: normalize(join(dirname(page), link)),
  }));

describe('the ways through the platform', () => {
  it('name what the linked files hold', () => {
    const named = pages.flatMap(namedIn);
    expect(named.length).toBeGreaterThan(30);
    const missing = named.filter(
      ({ name, file }) => !new RegExp(`\\b${name}\\b`).test(textOf(file)),
    );
    expect(missing).toEqual([]);
  });

  it('are checked again when one of those files changes', () => {
    const inputs = textOf('docs/project.json');
    const files = new Set(pages.flatMap(namedIn).map(({ file }) => file));
    expect([...files].filter((file) => !inputs.includes(`{workspaceRoot}/${file}`))).toEqual([]);
  });
});
