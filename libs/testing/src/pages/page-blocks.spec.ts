import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { blocksOf, missingFrom, runBlocks } from './page-blocks.ts';

const PAGE = `# A page
\`\`\`bash
NAME=ada; echo "$NAME"   # prints ada
\`\`\`
\`\`\`sh
never run
\`\`\`
## The second part
\`\`\`bash
serve   # until it prints ready
\`\`\`
\`\`\`bash
read -r LINE || echo "$NAME is asked nothing"
\`\`\`
`;
const options = { cwd: tmpdir(), env: {} };

describe('the blocks of a page', () => {
  const blocks = blocksOf(PAGE);

  it('are those of bash, with their heading, what they promise, and what goes on', () => {
    expect(blocks.map(({ section, promised, until }) => ({ section, promised, until }))).toEqual([
      { section: 'A page', promised: ['ada'], until: undefined },
      { section: 'The second part', promised: [], until: 'ready' },
      { section: 'The second part', promised: [], until: undefined },
    ]);
  });

  it('run in one shell, renamed; what goes on is somebody else’s', async () => {
    const seen: string[] = [];
    const note = (what: string) => Promise.resolve(void seen.push(what));
    const printed = await runBlocks(blocks, {
      ...options,
      rename: { 'NAME=ada': 'NAME=grace' },
      terminal: ({ until }) => note(`terminal ${until ?? ''}`),
      afterBlock: (index) => note(`after ${index}`),
    });
    expect(printed.map((text) => text.trim())).toEqual(['grace', '', 'grace is asked nothing']);
    expect(seen).toEqual(['after 0', 'terminal ready', 'after 1', 'after 2']);
    expect(missingFrom(printed[0] ?? '', blocks[0]!)).toMatch(/^ada in:/);
    expect(missingFrom('ada', blocks[0]!)).toBeUndefined();
  });

  it('fail with what was printed; a command that goes on needs a terminal', async () => {
    const failing = blocksOf('```bash\necho before; false; echo after\n```\n');
    await expect(runBlocks(failing, options)).rejects.toThrow(/^the blocks ended with 1: before\n/);
    await expect(runBlocks(blocks, options)).rejects.toThrow('between two blocks failed');
  });
});
