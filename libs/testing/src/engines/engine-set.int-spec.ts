import { createConnection } from 'node:net';
import { describeWithEngines } from './describe-with-engines.ts';
import { engineSet, ENGINES_START_MS, type EngineSet } from './engine-set.ts';

describeWithEngines(['redis'], () => {
  let set: EngineSet;
  beforeAll(async () => {
    set = await engineSet(['redis'], { settings: { REDIS_ARGS_EXTRA: '--requirepass secret' } });
  }, ENGINES_START_MS);
  afterAll(() => set.end());

  it('says where the engine is', () => {
    expect(set.env).toEqual({ REDIS_URL: `redis://127.0.0.1:${set.ports.redis}` });
  });

  it('gives it the settings of the test', async () => {
    expect(await ask(set, 'PING')).toContain('NOAUTH');
    expect(await ask(set, 'AUTH secret')).toBe('+OK');
  });

  it('kills it and brings it back', async () => {
    await set.kill('redis');
    await expect(ask(set, 'PING')).rejects.toThrow('ECONNREFUSED');
    await set.start('redis');
    expect(await ask(set, 'AUTH secret')).toBe('+OK');
  });
});

function ask(set: EngineSet, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(set.ports.redis, '127.0.0.1');
    socket.once('error', (error: NodeJS.ErrnoException) => reject(new Error(error.code)));
    socket.once('data', (answer) => {
      resolve(answer.toString().trim());
      socket.destroy();
    });
    socket.write(`${command}\r\n`);
  });
}
