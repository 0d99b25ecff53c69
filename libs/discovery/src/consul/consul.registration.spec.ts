import { describe, expect, it } from '@jest/globals';
import { TestPlatform } from '../testing/test-platform.ts';
import { instanceIdOf, readMeta, registrationOf, serviceIdOf } from './consul.registration.ts';

interface Registration {
  Tags: string[];
  Address?: string;
  Port?: number;
  Meta: Record<string, string>;
  Check: { TTL: string; DeregisterCriticalServiceAfter: string };
}
const register = (entry: string, leaseMs = 10_000) =>
  registrationOf('orders', 'o-1', entry, leaseMs) as Registration;

describe('a registration at Consul', () => {
  it('holds a signed entry in values of at most 512 characters, and gives it back whole', async () => {
    const entry = await new TestPlatform().entry('orders', {
      httpUrl: 'http://10.0.0.7:3000',
      grpcAddress: '10.0.0.7:50051',
      manifestDigest: `sha-256:${'ab'.repeat(32)}`,
    });
    expect(entry.length).toBeGreaterThan(512);
    const { Meta } = register(entry);
    for (const value of Object.values(Meta)) expect(value.length).toBeLessThanOrEqual(512);
    expect(readMeta(Meta)).toEqual({ entry, leaseMs: 10_000 });
  });

  it.each([1, 512, 513, 8_192])('gives back an entry of %i characters', (length) => {
    const entry = 'e'.repeat(length);
    expect(readMeta(register(entry).Meta).entry).toBe(entry);
  });

  it('refuses one that is longer than an entry may be', () => {
    expect(() => register('e'.repeat(8_193))).toThrow('at most 8192');
  });

  it('runs out two seconds before the lease, of a short one after three quarters of it', () => {
    expect(register('e').Check.TTL).toBe('8000ms');
    expect(register('e', 1_000).Check.TTL).toBe('750ms');
  });

  it('is cleaned up by Consul a minute after it ran out, the least that Consul takes', () => {
    expect(register('e').Check.DeregisterCriticalServiceAfter).toBe('1m');
  });

  it('shows version and addresses, and none of an entry that cannot be read', async () => {
    const entry = await new TestPlatform().entry('orders', {
      version: '2.0.0',
      httpUrl: 'http://[::1]:3000',
      adminUrl: 'http://10.0.0.7:9100',
    });
    expect(register(entry)).toMatchObject({
      Tags: ['gatehouse', 'version=2.0.0'],
      Address: '::1',
      Port: 3000,
      Meta: { 'gatehouse-admin': '10.0.0.7:9100' },
    });
    expect(register('junk').Tags).toEqual(['gatehouse']);
    expect(register('junk')).not.toHaveProperty('Address');
    expect(register('junk').Meta).not.toHaveProperty('gatehouse-admin');
  });

  it('believes no lease that a stranger states for longer than a minute, nor one that is none', () => {
    expect(readMeta({ 'gatehouse-lease-ms': '99999999' }).leaseMs).toBe(60_000);
    expect(readMeta({ 'gatehouse-lease-ms': 'for ever' }).leaseMs).toBe(0);
    expect(readMeta({})).toEqual({ entry: '', leaseMs: 0 });
  });

  it('keeps services apart whose names begin alike', () => {
    expect(serviceIdOf('orders', 'o-1')).toBe('orders:o-1');
    expect(instanceIdOf('orders', 'orders:o-1')).toBe('o-1');
    expect(instanceIdOf('orders', 'orders-archive:o-1')).toBe('orders-archive:o-1');
  });
});
