import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { ConfigError } from './config-error.ts';
import { configOf, embeddedDefault } from './config-of.ts';
import { KernelConfig } from './kernel.config.ts';
import { runInScope } from './process-scope.ts';
import { resolveVariable } from './variable.ts';

class ShopConfig extends configOf({
  SHOP_URL: z.url().meta({ example: 'https://shop.example' }),
  SHOP_SIZE: z.coerce.number().int().min(1).default(10).meta({ example: '10' }),
  SHOP_ISSUER: z.string().default(embeddedDefault('http://127.0.0.1:8080')),
}) {}

const parse = <T>(config: new () => T, env: Record<string, string>): T =>
  runInScope({ env, packageDir: '.' }, () => new config());

const refusal = (env: Record<string, string>): ConfigError => {
  try {
    parse(ShopConfig, env);
  } catch (error) {
    return error as ConfigError;
  }
  throw new Error('it was taken');
};

const folder = () => mkdtempSync(join(tmpdir(), 'kernel-config-'));

describe('configOf', () => {
  it('reads each variable of the shape, with its type and default', () => {
    const config = parse(ShopConfig, { SHOP_URL: 'https://a.example', SHOP_ISSUER: 'me' });
    expect(Object.assign({}, config)).toEqual({
      SHOP_URL: 'https://a.example',
      SHOP_SIZE: 10,
      SHOP_ISSUER: 'me',
    });
  });

  it('gives a frozen object', () => {
    const config = parse(ShopConfig, { SHOP_URL: 'https://a.example', SHOP_ISSUER: 'me' });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('names every wrong variable, what is wrong and an example', () => {
    const error = refusal({ SHOP_SIZE: 'many', SHOP_ISSUER: 'me' });
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.problems).toEqual([
      { variable: 'SHOP_URL', problem: 'is required and not set', example: 'https://shop.example' },
      {
        variable: 'SHOP_SIZE',
        problem: expect.stringContaining('expected number') as string,
        example: '10',
      },
    ]);
    expect(error.message).toContain('SHOP_URL: is required and not set');
    expect(error.message).toContain('for example SHOP_URL=https://shop.example');
  });

  it('never repeats the value of a variable', () => {
    const error = refusal({ SHOP_URL: 'hunter2-hunter2', SHOP_ISSUER: 'me' });
    expect(error.message).toContain('SHOP_URL');
    expect(error.message).not.toContain('hunter2');
  });

  it('takes an empty variable for one that is not set', () => {
    expect(refusal({ SHOP_URL: '', SHOP_ISSUER: 'me' }).message).toContain('not set');
  });

  it('gives an embedded default in the embedded profile alone', () => {
    const env = { SHOP_URL: 'https://a.example' };
    expect(parse(ShopConfig, { ...env, GATEHOUSE_PROFILE: 'embedded' }).SHOP_ISSUER).toBe(
      'http://127.0.0.1:8080',
    );
    expect(refusal(env).message).toContain('SHOP_ISSUER: is required outside the embedded profile');
  });

  it('reads the file that X_FILE names, without its line end', () => {
    const file = join(folder(), 'secret');
    writeFileSync(file, 'https://file.example\n');
    expect(parse(ShopConfig, { SHOP_URL_FILE: file, SHOP_ISSUER: 'me' }).SHOP_URL).toBe(
      'https://file.example',
    );
  });

  it('refuses an X_FILE that cannot be read, and names it', () => {
    const error = refusal({ SHOP_URL_FILE: '/nowhere/at-all', SHOP_ISSUER: 'me' });
    expect(error.message).toContain('SHOP_URL: SHOP_URL_FILE names a file that cannot be read');
  });

  it('looks in the credentials folder last, by the name in kebab case', () => {
    const dir = folder();
    writeFileSync(join(dir, 'shop-url'), 'https://folder.example');
    const env = { GATEHOUSE_CREDENTIALS_DIR: dir, SHOP_ISSUER: 'me' };
    expect(parse(ShopConfig, env).SHOP_URL).toBe('https://folder.example');
    expect(parse(ShopConfig, { ...env, SHOP_URL: 'https://env.example' }).SHOP_URL).toBe(
      'https://env.example',
    );
  });
});

describe('resolveVariable', () => {
  it('looks for a variable of the platform by its name without the prefix', () => {
    const dir = folder();
    writeFileSync(join(dir, 'service-key'), 'a key\n');
    const scope = { env: { GATEHOUSE_CREDENTIALS_DIR: dir }, packageDir: dir };
    expect(runInScope(scope, () => resolveVariable('GATEHOUSE_SERVICE_KEY'))).toBe('a key');
  });
});

describe('KernelConfig', () => {
  it('listens on this machine only in the embedded profile', () => {
    expect(parse(KernelConfig, { GATEHOUSE_PROFILE: 'embedded' }).HTTP_HOST).toBe('127.0.0.1');
    expect(parse(KernelConfig, {}).HTTP_HOST).toBe('0.0.0.0');
  });

  it('keeps the admin listener on this machine in every profile', () => {
    expect(parse(KernelConfig, {}).ADMIN_HOST).toBe('127.0.0.1');
  });

  it.each(['-1', '65536', 'http', '80.5'])('refuses port %s', (port) => {
    expect(() => parse(KernelConfig, { HTTP_PORT: port })).toThrow(ConfigError);
  });
});
