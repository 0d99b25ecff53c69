import { beforeEach, describe, expect, it } from '@jest/globals';
import { Directory } from './directory.ts';
import { TestPlatform } from './testing/test-platform.ts';

describe('Directory', () => {
  const platform = new TestPlatform();
  let directory: Directory;
  let changes: number;

  beforeEach(() => {
    directory = new Directory(platform.trustAnchor);
    changes = 0;
    directory.onChange(() => changes++);
  });

  it('knows nobody before the first directory', () => {
    expect(directory.serial).toBe(0);
    expect(directory.services()).toEqual([]);
    expect(directory.service('orders')).toBeUndefined();
  });

  it('lists what the newest directory lists, and drops what it no longer lists', async () => {
    expect(await directory.accept(await platform.directory(1, ['orders', 'carts']))).toBe(
      'accepted',
    );
    expect(directory.service('orders')).toMatchObject({ name: 'orders', prefixes: ['/v1/orders'] });
    expect(await directory.accept(await platform.directory(2, ['carts']))).toBe('accepted');
    expect(directory.service('orders')).toBeUndefined();
    expect(directory.services().map((service) => service.name)).toEqual(['carts']);
    expect(changes).toBe(2);
  });

  it('ignores a directory with a lower serial, however well it is signed', async () => {
    const old = await platform.directory(1, ['orders', 'intruder']);
    await directory.accept(await platform.directory(2, ['orders']));
    expect(await directory.accept(old)).toBe('older');
    expect(directory.service('intruder')).toBeUndefined();
    expect(directory.serial).toBe(2);
    expect(changes).toBe(1);
  });

  it('keeps the first of two directories with one serial', async () => {
    const first = await platform.directory(3, ['orders']);
    await directory.accept(first);
    expect(await directory.accept(await platform.directory(3, ['intruder']))).toBe('unchanged');
    expect(await directory.accept(first)).toBe('unchanged');
    expect(directory.services().map((service) => service.name)).toEqual(['orders']);
  });

  it('ignores what another key signed, and what is no directory at all', async () => {
    await directory.accept(await platform.directory(1, ['orders']));
    expect(await directory.accept(await new TestPlatform().directory(9, ['intruder']))).toBe(
      'refused',
    );
    expect(await directory.accept('{"serial":9}')).toBe('refused');
    expect(await directory.accept('')).toBe('refused');
    expect(directory.serial).toBe(1);
  });

  it('stops telling whoever asked for that', async () => {
    let told = 0;
    const stop = directory.onChange(() => told++);
    stop();
    await directory.accept(await platform.directory(1, []));
    expect(told).toBe(0);
  });
});
