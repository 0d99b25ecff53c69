import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { configurationReference } from '../src/configuration-reference.ts';
import { errorReference } from '../src/error-reference.ts';
import { eventReference } from '../src/event-reference.ts';
import { permissionReference } from '../src/permission-reference.ts';
import { textOf, WORKSPACE } from '../src/sources.ts';

/** `npm run docs:reference` runs this file with it set, and then commits nothing by itself. */
const write = process.env.GATEHOUSE_WRITE_REFERENCE === '1';

describe.each([
  ['docs/reference/configuration.md', configurationReference],
  ['docs/reference/errors.md', errorReference],
  ['docs/reference/events.md', eventReference],
  ['docs/reference/permissions.md', permissionReference],
])('%s', (file, make) => {
  it('is what the code says today: `npm run docs:reference` writes it', async () => {
    const text = await make();
    if (write) {
      mkdirSync(join(WORKSPACE, 'docs/reference'), { recursive: true });
      writeFileSync(join(WORKSPACE, file), text);
    }
    expect(textOf(file)).toBe(text);
  });
});
