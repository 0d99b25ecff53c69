import { startProcess } from './start-process.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

const node = (program: string, options = {}) =>
  startProcess(process.execPath, ['-e', program], options);
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('startProcess', () => {
  it('waits for the ready text, keeps the output, and passes signals', async () => {
    const child = await node(
      `process.on('SIGTERM', () => { console.error('bye'); process.exit(3) });
       setInterval(() => {}, 1e6); console.log('ready ' + process.env.NAME)`,
      { env: { NAME: 'x' }, readyWhen: /ready/ },
    );
    expect(child.stdout).toBe('ready x\n');
    await child.kill();
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(child.stderr).toBe('bye\n');
    expect(child.running).toBe(false);
  });

  it('fails with the output when the process ends before it is ready', async () => {
    await expect(node(`console.error('no config')`, { readyWhen: /ready/ })).rejects.toThrow(
      /ended before ready[^]*no config/,
    );
  });

  it('fails when ready does not come in time', async () => {
    await expect(
      node('setInterval(() => {}, 1e6)', { readyWhen: /ready/, readyTimeoutMs: 200 }),
    ).rejects.toThrow('not ready in 200 ms');
  });

  it('takes the helpers of a dead process with it', async () => {
    const child = await node(
      `const helper = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
       console.log('helper ' + helper.pid); setInterval(() => {}, 1e6)`,
      { readyWhen: /helper \d+/ },
    );
    const helper = Number(/helper (\d+)/.exec(child.stdout)?.[1]);
    await child.kill('SIGKILL');
    await eventually(() => !alive(helper));
  });

  it('rejects for a program that does not exist', async () => {
    await expect(startProcess('/no/such/program')).rejects.toThrow('ENOENT');
  });
});

describe('eventually', () => {
  it('returns the first value that is not false', async () => {
    let n = 0;
    expect(await eventually(() => ++n > 2 && n)).toBe(3);
  });

  it('ends with the last error of the probe and how long it was tried', async () => {
    await expect(
      eventually(() => Promise.reject(new Error('still 2')), { timeoutMs: 30, intervalMs: 5 }),
    ).rejects.toThrow('still 2 (tried for 30 ms)');
  });
});

describe('freePort', () => {
  it('gives ports that can be bound, different ones in a row', async () => {
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    expect(new Set(ports).size).toBe(3);
  });
});
