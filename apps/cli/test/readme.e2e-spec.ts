import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChildProcessHandle, missingFrom } from '@gatehouse/testing';
import { jest } from '@jest/globals';
import { Launcher } from './launcher.driver.ts';
import { blocks, README, runTour, WORKSPACE } from './support/readme-tour.ts';

jest.setTimeout(180_000);

describe('the tour of the README', () => {
  let launcher: Launcher;
  let running: ChildProcessHandle | undefined;
  let printed: string[];

  beforeAll(async () => {
    launcher = await Launcher.make();
    running = await launcher.start();
    printed = await runTour({
      env: { GATEWAY: launcher.url, GATEHOUSE_DATA_DIR: launcher.folder },
    });
  });
  afterAll(async () => {
    await running?.kill('SIGINT');
    await launcher.remove();
  });

  it('shows each of 401, 403, 429 and 200 in turn', () => {
    const promised = blocks.flatMap((block) => block.promised);
    expect(promised).toEqual(expect.arrayContaining(['401', '403', '429', '200']));
  });

  it.each(blocks.map(({ code }, index) => ({ index, first: code.split('\n')[0] })))(
    'prints what block $index says: $first',
    ({ index }) => expect(missingFrom(printed[index] ?? '', blocks[index]!)).toBeUndefined(),
  );

  it('answers the reads it shows with what was asked for', () => {
    expect(printed[1]).toContain('"status":"accepted"');
    expect(printed[1]).toContain('"email":"ada@example.com"');
    expect(printed.join('\n')).toContain('"action":"authz.binding.create"');
  });

  it('names only commands that exist', () => {
    const scripts = (
      JSON.parse(readFileSync(join(WORKSPACE, 'package.json'), 'utf8')) as {
        scripts: Record<string, string>;
      }
    ).scripts;
    const shown = [...README.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, name = '']) => name);
    const own = shown.filter((name) => !['ci', 'and'].includes(name));
    expect(own).toEqual(expect.arrayContaining(['start', 'test', 'reset']));
    for (const name of own) expect(Object.keys(scripts)).toContain(name);
  });
});
