import { describe, expect, it } from '@jest/globals';

import { ownerScope, ScopeText } from './scope.ts';

const ID = '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11';

describe('a scope', () => {
  it('is the platform, or one organization', () => {
    expect(ScopeText.parse('platform')).toBe('platform');
    expect(ScopeText.parse(`organization:${ID.toUpperCase()}`)).toBe(`organization:${ID}`);
  });

  it.each([
    '',
    '*',
    'platform ',
    'platform\n',
    'organization',
    'organization:',
    'organization:*',
    `organization:${ID}\n`,
    `organization:${ID} `,
    `organization:${ID}:x`,
    `organization:${ID.slice(0, -1)}`,
    `platform,organization:${ID}`,
  ])('is not %j', (text) => {
    expect(ScopeText.safeParse(text).success).toBe(false);
  });

  it('is its own for each owner', () => {
    expect(ownerScope(null)).toBe('platform');
    expect(ownerScope(undefined)).toBe('platform');
    expect(ownerScope(ID)).toBe(`organization:${ID}`);
  });
});
