import { summaryLines } from './summary.ts';

const summary = {
  gatewayUrl: 'http://127.0.0.1:8080',
  gatewayAdminUrl: 'http://127.0.0.1:8081',
  engines: [{ need: 'PostgreSQL', by: '127.0.0.1:23456' }],
  services: [
    {
      name: 'auth',
      addresses: {
        httpUrl: 'http://127.0.0.1:40001',
        grpcAddress: '127.0.0.1:40002',
        adminUrl: 'http://127.0.0.1:40003',
      },
    },
    {
      name: 'gateway',
      addresses: { httpUrl: 'http://127.0.0.1:8080', adminUrl: 'http://127.0.0.1:8081' },
    },
  ],
  data: '/somewhere/.gatehouse',
  logs: '/somewhere/.gatehouse/logs',
};

describe('the summary of a start', () => {
  it('says where everything is', () => {
    const text = summaryLines(summary).join('\n');
    expect(text).toContain('http://127.0.0.1:8080/docs');
    expect(text).toMatch(/PostgreSQL +127.0.0.1:23456/);
    expect(text).toMatch(/auth +40001 +40002 +40003/);
    expect(text).toMatch(/gateway +8080 +- +8081/);
    expect(text).toContain('/somewhere/.gatehouse/logs');
  });

  it('shows the administrator only where there is a new one', () => {
    expect(summaryLines(summary).join('\n')).not.toMatch(/password/i);
    const administrator = { email: 'a@b.example', password: 'secret', file: '/f.json' };
    const text = summaryLines({ ...summary, administrator }).join('\n');
    expect(text).toMatch(/a@b.example\n.*secret\n.*\/f.json/);
  });
});
