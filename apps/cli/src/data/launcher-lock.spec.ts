import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlreadyRunning, runningLauncher, takeLauncherLock } from './launcher-lock.ts';

describe('the launcher lock', () => {
  let folder: string;
  let lock: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-lock-'));
    lock = join(folder, 'launcher.lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is taken once, and names the process that has it', () => {
    takeLauncherLock(lock);
    expect(() => takeLauncherLock(lock)).toThrow(AlreadyRunning);
    expect(() => takeLauncherLock(lock)).toThrow(String(process.pid));
    expect(runningLauncher(lock)?.pid).toBe(process.pid);
  });

  it('can be taken again when it was given back, and leaves nothing beside it', () => {
    takeLauncherLock(lock)();
    expect(readdirSync(folder)).toEqual([]);
    takeLauncherLock(lock);
    expect(readdirSync(folder)).toEqual(['launcher.lock']);
  });

  it.each([
    ['a process that is gone', JSON.stringify({ pid: 2 ** 30, startedAt: '1' })],
    [
      'a process whose pid is somebody else’s by now',
      JSON.stringify({ pid: process.pid, startedAt: '1' }),
    ],
    ['a launcher killed while writing it', '{"pid":'],
  ])('left by %s is taken over', (_what, content) => {
    writeFileSync(lock, content);
    expect(runningLauncher(lock)).toBeUndefined();
    takeLauncherLock(lock);
    expect(runningLauncher(lock)?.pid).toBe(process.pid);
    expect(readdirSync(folder)).toEqual(['launcher.lock']);
  });

  it('is not given back by a launcher that has lost it', () => {
    const release = takeLauncherLock(lock);
    writeFileSync(lock, 'somebody else');
    release();
    expect(readFileSync(lock, 'utf8')).toBe('somebody else');
  });
});
