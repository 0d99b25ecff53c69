import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { createWorkspace } from './create-workspace.js';

const HERE = fileURLToPath(new URL('../../../', import.meta.url));
type Json = Record<string, never>;
const read = (folder: string, file: string) => readFileSync(join(folder, file), 'utf8');

describe('a new workspace', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-create-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is refused, and nothing written, where the name is none or something is there already', () => {
    for (const name of ['Shop', '1shop', 'my shop', '.shop']) {
      expect(() => createWorkspace(join(folder, name))).toThrow(`"${name}" is no name for it`);
    }
    expect(readdirSync(folder)).toEqual([]);
    mkdirSync(join(folder, 'shop'));
    writeFileSync(join(folder, 'shop', 'mine.txt'), '');
    expect(() => createWorkspace(join(folder, 'shop'))).toThrow('shop is not empty');
    expect(readdirSync(join(folder, 'shop'))).toEqual(['mine.txt']);
  });

  describe('beside this one', () => {
    let shop: string;
    const json = (root: string, file: string) => JSON.parse(read(root, file)) as Json;
    beforeEach(() => {
      shop = join(folder, 'shop');
      createWorkspace(shop);
    });

    it('has its name and the version of the platform, and no gap left to fill', () => {
      const { version } = json(HERE, 'libs/create/package.json');
      const { name, dependencies } = json(shop, 'package.json');
      expect(name).toBe('shop');
      expect(dependencies).toHaveProperty('@gatehouse/gateway', version);
      for (const file of ['package.json', 'README.md'])
        expect(read(shop, file)).not.toContain('{{');
    });

    it.each([
      '.gitattributes',
      '.gitignore',
      '.npmrc',
      '.prettierrc.json',
      '.swcrc',
      'eslint.config.mjs',
      'jest.e2e.preset.js',
      'jest.preset.js',
      'tsconfig.base.json',
    ])('has the %s of this one', (file) => {
      expect(read(shop, file)).toBe(read(HERE, file));
    });

    it('is built with the versions of this one', () => {
      const own = json(HERE, 'package.json') as Record<string, Record<string, string>>;
      const made = json(shop, 'package.json') as Record<string, Record<string, string>>;
      const tools = Object.entries(made.devDependencies ?? {}).filter(
        ([name]) => !name.startsWith('@gatehouse/'),
      );
      expect(tools.length).toBeGreaterThan(15);
      expect(own.devDependencies).toMatchObject(Object.fromEntries(tools));
      expect(made.overrides).toEqual(own.overrides);
      expect(made.allowScripts).toEqual(own.allowScripts);
    });

    it('has the rules of this one for what a change runs, but for what is only here', () => {
      interface NxJson {
        release?: object;
        useDaemonProcess?: boolean;
        namedInputs: Record<string, (string | { runtime?: string })[]>;
        targetDefaults: Record<string, object>;
      }
      const own = json(HERE, 'nx.json') as unknown as NxJson;
      delete own.release;
      delete own.targetDefaults.package;
      delete own.targetDefaults['nx-release-publish'];
      delete own.namedInputs.packages;
      own.targetDefaults.serve = { ...own.targetDefaults.serve, dependsOn: ['build'] };
      own.targetDefaults.e2e = (own.targetDefaults.e2e as object[]).filter(
        (each) => !JSON.stringify(each).includes('uses:packages'),
      );
      for (const [name, inputs] of Object.entries(own.namedInputs)) {
        own.namedInputs[name] = inputs.filter(
          (each) => !/"runtime"|nx-plugin/.test(JSON.stringify(each)),
        );
      }
      expect(json(shop, 'nx.json')).toEqual({ ...own, useDaemonProcess: false });
    });
  });
});
