import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { eventually } from '../eventually.ts';
import { startProcess, type ChildProcessHandle } from '../start-process.ts';
import { runsFolder } from './orphans.ts';

const serverModule = fileURLToPath(new URL('./postgres-server.ts', import.meta.url));
const describeEmbedded = process.env.TEST_DATABASE_URL ? describe.skip : describe;

/** Stands for Jest's main process of another run: asks for the server and lives on. */
async function otherRun(): Promise<{ run: ChildProcessHandle; url: string; folder: string }> {
  const temporary = await mkdtemp(join(tmpdir(), 'gatehouse-run-'));
  const program = join(temporary, 'run.ts');
  await writeFile(
    program,
    `import { postgresServer } from ${JSON.stringify(serverModule)};
     console.log('url=' + (await postgresServer()).adminUrl);
     setInterval(() => {}, 1e6);`,
  );
  const run = await startProcess(process.execPath, [program], {
    env: { NODE_OPTIONS: '' },
    readyWhen: /url=\S+/,
  });
  await rm(temporary, { recursive: true });
  const folder = readdirSync(runsFolder()).find((name) => name.split('_')[1] === String(run.pid));
  return {
    run,
    url: /url=(\S+)/.exec(run.stdout)?.[1] ?? '',
    folder: join(runsFolder(), folder ?? 'none'),
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

describeEmbedded('the embedded server of a test run', () => {
  it('is one for each run, and stops when its run is killed', async () => {
    const [first, second] = await Promise.all([otherRun(), otherRun()]);
    expect(first.url).not.toBe(second.url);
    expect(await answers(first.url)).toBe(true);
    await first.run.kill('SIGKILL');
    await eventually(() => !existsSync(first.folder), { timeoutMs: 15_000 });
    expect(await answers(first.url)).toBe(false);
    expect(await answers(second.url)).toBe(true);
    await second.run.kill('SIGKILL');
    await eventually(() => !existsSync(second.folder), { timeoutMs: 15_000 });
  }, 60_000);

  it('is ended by the next run when run and warden were both killed', async () => {
    const lost = await otherRun();
    const warden = JSON.parse(readFileSync(join(lost.folder, 'pid.json'), 'utf8')) as {
      pid: number;
    };
    process.kill(warden.pid, 'SIGKILL');
    await lost.run.kill('SIGKILL');
    expect(await answers(lost.url)).toBe(true);

    const next = await otherRun();
    expect(await answers(lost.url)).toBe(false);
    expect(existsSync(lost.folder)).toBe(false);
    await next.run.kill('SIGKILL');
    await eventually(() => !existsSync(next.folder), { timeoutMs: 15_000 });
  }, 60_000);

  it('asks for a password', async () => {
    const other = await otherRun();
    const url = new URL(other.url);
    url.password = 'postgres';
    expect(await answers(url.href)).toBe(false);
    await other.run.kill('SIGKILL');
  }, 60_000);
});
