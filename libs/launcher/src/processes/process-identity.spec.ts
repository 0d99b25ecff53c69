import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { commandOf, endProcess, identify, isRunning } from './process-identity.ts';

const forever = (program = '') =>
  spawn(process.execPath, ['-e', `${program}; setInterval(() => {}, 1e6); console.log('up')`], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });

describe('the identity of a process', () => {
  it('holds for as long as the process runs', async () => {
    const child = forever();
    const identity = identify(child.pid!)!;
    expect(isRunning(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isRunning(identity)).toBe(false);
    expect(identify(child.pid!)).toBeUndefined();
  });

  it('is not that of another process with the same pid', () => {
    expect(isRunning({ pid: process.pid, startedAt: 'another time' })).toBe(false);
  });

  it('comes with the command line', () => {
    expect(commandOf(process.pid)).toContain('node');
    expect(commandOf(2 ** 30)).toBeUndefined();
  });
});

describe('endProcess', () => {
  it('asks first', async () => {
    const child = forever(`process.on('SIGTERM', () => process.exit(7))`);
    await once(child.stdout, 'data');
    const exited = once(child, 'exit');
    await endProcess(identify(child.pid!)!);
    expect(await exited).toEqual([7, null]);
  });

  it('kills what does not listen', async () => {
    const child = forever(`process.on('SIGTERM', () => {})`);
    await once(child.stdout, 'data');
    const exited = once(child, 'exit');
    await endProcess(identify(child.pid!)!, { graceMs: 100 });
    expect(await exited).toEqual([null, 'SIGKILL']);
  });

  it('leaves another process with the same pid alone', async () => {
    const child = forever();
    await endProcess({ pid: child.pid!, startedAt: 'another time' });
    expect(identify(child.pid!)).toBeDefined();
    child.kill('SIGKILL');
  });
});
