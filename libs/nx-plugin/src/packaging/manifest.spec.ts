import { describe, expect, it } from '@jest/globals';

import { publishedManifest } from './manifest.js';

const OWN = {
  name: '@gatehouse/some',
  version: '1.2.3',
  exports: {
    '.': { '@gatehouse/source': './src/index.ts', default: './dist/index.js' },
    './testing': {
      '@gatehouse/source': './src/testing/index.ts',
      default: './dist/testing/index.js',
    },
    './plain': './src/plain.mjs',
    './package.json': './package.json',
  },
  dependencies: { zod: '4.6.7' },
  devDependencies: { jest: '30.0.0' },
  scripts: { test: 'jest' },
};

describe('the published manifest', () => {
  const { manifest, entries } = publishedManifest(OWN);

  it('has no condition that leads to sources, and types first at each entry', () => {
    expect(manifest.exports).toEqual({
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './testing': { types: './dist/testing/index.d.ts', default: './dist/testing/index.js' },
      './plain': { types: './src/plain.d.mts', default: './src/plain.mjs' },
      './package.json': './package.json',
    });
    expect(Object.keys((manifest.exports as Record<string, object>)['.'] ?? {})).toEqual([
      'types',
      'default',
    ]);
    expect(entries).toEqual(['./dist/index.js', './dist/testing/index.js', './src/plain.mjs']);
  });

  it('keeps what runs and leaves out what only its workspace needs', () => {
    expect(manifest).toMatchObject({ version: '1.2.3', dependencies: { zod: '4.6.7' } });
    expect(manifest).not.toHaveProperty('devDependencies');
    expect(manifest).not.toHaveProperty('scripts');
  });

  it('is refused to a private package', () => {
    expect(() => publishedManifest({ ...OWN, private: true })).toThrow(
      '@gatehouse/some is private',
    );
  });
});
