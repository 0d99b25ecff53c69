import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceProcess } from '@gatehouse/launcher';
import { eventually } from '@gatehouse/testing';
import { SupervisedService } from './supervised-service.ts';

const SERVICE = `
  if (require('node:fs').existsSync(process.argv[1] + '.broken')) process.exit(9);
  const admin = require('node:http').createServer((_, answer) => answer.end());
  admin.listen(0, '127.0.0.1', () => {
    const adminUrl = 'http://127.0.0.1:' + admin.address().port;
    process.send({ type: 'ready', httpUrl: adminUrl, adminUrl });
  });
  process.on('SIGTERM', () => process.exit(0));
  process.on('disconnect', () => process.exit(0));
`;

describe('a supervised service', () => {
  let folder: string;
  let mainFile: string;
  let service: SupervisedService;
  let pids: number[];
  let events: string[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-supervised-'));
    mkdirSync(join(folder, 'dist'));
    mainFile = join(folder, 'dist', 'main.cjs');
    writeFileSync(mainFile, SERVICE);
    pids = [];
    events = [];
    const options = { name: 'x', mainFile, env: {}, logFile: join(folder, 'x.log') };
    service = new SupervisedService('x', () => ServiceProcess.spawn(options), {
      spawned: (_name, process) => pids.push(process.pid),
      ready: (_name, _addresses, again) => events.push(again ? 'ready again' : 'ready'),
      ended: (_name, why, waitMs) => events.push(`${why}, ${waitMs}`),
    });
  });
  afterEach(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  it('is started again when it ends by itself, however often', async () => {
    await service.start();
    process.kill(pids[0]!, 'SIGKILL');
    await eventually(() => events.filter((each) => each === 'ready again').length === 1);
    process.kill(pids[1]!, 'SIGKILL');
    await eventually(() => events.length === 5);
    expect(events).toEqual([
      'ready',
      'was ended by SIGKILL, 500',
      'ready again',
      'was ended by SIGKILL, 1000',
      'ready again',
    ]);
  });

  it('is not started again when it was stopped', async () => {
    await service.start();
    await service.stop();
    expect(events).toEqual(['ready']);
    expect(pids).toHaveLength(1);
  });

  it('can be stopped while it waits to be started again', async () => {
    await service.start();
    process.kill(pids[0]!, 'SIGKILL');
    await eventually(() => events.length === 2);
    await service.stop();
    expect(pids).toHaveLength(1);
  });

  it('can be started after it was stopped, and is kept again', async () => {
    await service.start();
    await service.stop();
    await service.start();
    process.kill(pids[1]!, 'SIGKILL');
    await eventually(() => events.at(-1) === 'ready again');
  });

  it('that does not come up at the first start fails it, and is not tried again', async () => {
    writeFileSync(`${mainFile}.broken`, '');
    await expect(service.start()).rejects.toThrow('x ended with exit code 9');
    expect(pids).toHaveLength(1);
  });
});
