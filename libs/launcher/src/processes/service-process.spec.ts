import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMigrations } from './run-migrations.ts';
import { ServiceProcess } from './service-process.ts';

/** What the kernel's runService does, as far as a launcher sees it. */
const SERVICE = `
  const { createServer } = require('node:http');
  if (process.argv[2] === 'migrate') { console.log('migrating'); process.exit(Number(process.env.EXIT ?? 0)); }
  if (process.env.EXIT) { console.error('no luck'); process.exit(Number(process.env.EXIT)); }
  let asked = 0;
  const admin = createServer((request, answer) => {
    answer.statusCode = request.url === '/health/ready' && ++asked > 2 ? 200 : 503;
    answer.end();
  });
  admin.listen(0, '127.0.0.1', () => {
    const adminUrl = 'http://127.0.0.1:' + admin.address().port;
    process.send({ type: 'ready', httpUrl: 'http://127.0.0.1:1', adminUrl });
  });
  process.on('SIGTERM', () => { if (!process.env.DEAF) process.exit(0); });
  process.on('disconnect', () => process.exit(0));
`;

describe('a service as a process', () => {
  let folder: string;
  let mainFile: string;
  let logFile: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-service-'));
    mkdirSync(join(folder, 'dist'));
    mainFile = join(folder, 'dist', 'main.cjs');
    logFile = join(folder, 'logs', 'x.log');
    writeFileSync(mainFile, SERVICE);
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const options = (env: Record<string, string> = {}) => ({ name: 'x', mainFile, logFile, env });

  it('is ready when it has said where it listens and its health says so', async () => {
    const service = await ServiceProcess.spawn(options());
    const addresses = await service.ready();
    expect(addresses.httpUrl).toBe('http://127.0.0.1:1');
    expect((await fetch(addresses.adminUrl + '/health/ready')).status).toBe(200);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.running).toBe(false);
  });

  it('that ends before it is ready fails with the end of its log', async () => {
    const service = await ServiceProcess.spawn(options({ EXIT: '3' }));
    await expect(service.ready()).rejects.toThrow(/x ended with exit code 3.*no luck/s);
  });

  it('that does not become ready in time fails', async () => {
    const service = await ServiceProcess.spawn(options());
    await expect(service.ready(1)).rejects.toThrow('is not ready after');
    await service.stop();
  });

  it('is killed where it does not stop in time', async () => {
    const service = await ServiceProcess.spawn(options({ DEAF: '1' }));
    await service.ready();
    expect(await service.stop(50)).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('writes to a log that only its owner can read', async () => {
    await runMigrations(options());
    expect(readFileSync(logFile, 'utf8')).toBe('migrating\n');
    expect(statSync(logFile).mode & 0o777).toBe(0o600);
  });

  it('fails its migration with what it wrote', async () => {
    await expect(runMigrations(options({ EXIT: '2' }))).rejects.toThrow(
      /x could not be migrated: it ended with exit code 2.*migrating/s,
    );
  });
});
