import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FIXTURE = fileURLToPath(new URL('../../test/fixtures/parcels-0.1/', import.meta.url));
const CONTROLLER = 'apps/parcels/src/parcels/parcels.controller.ts';
const SPEC = 'libs/contracts/parcels/src/contract.spec.ts';
const PROJECT = 'libs/contracts/parcels/project.json';

/** The service `parcels` as the template of version 0.1 made it, by path. */
export function olderService(): Record<string, string> {
  const entries = readdirSync(FIXTURE, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [
        file.slice(FIXTURE.length).replace(/\.template$/, ''),
        readFileSync(file, 'utf8'),
      ]),
  );
}

/** The same, after a team has worked on it: a route and a target of its own, a comment where the template's code is. */
export function editedByATeam(): Record<string, string> {
  const files = olderService();
  const changed = (path: string, change: (text: string) => string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`the fixture has no ${path}`);
    files[path] = change(text);
  };
  changed(CONTROLLER, (text) =>
    text
      .replace(
        "  @Get(':id')",
        `  /** Ours: how heavy a parcel may be. */
  @Get('limits')
  @RequirePermission('parcels.parcel.list', { description: 'List parcels' })
  @Answers(200, LimitsBody, 'The limits')
  limits() {
    return { grams: 31_500 };
  }

  @Get(':id')`,
      )
      .replace(
        '/** What is asked for here',
        `const LimitsBody = z.object({ grams: z.int() }).meta({ id: 'ParcelLimits' });

/** What is asked for here`,
      )
      .replace(
        "import { CommandBus, QueryBus } from '@nestjs/cqrs';",
        "import { CommandBus, QueryBus } from '@nestjs/cqrs';\nimport { z } from 'zod';",
      ),
  );
  changed(SPEC, (text) => `// Ours: the carriers read this contract.\n${text}`);
  changed(PROJECT, (text) => {
    const json = JSON.parse(text) as { targets: Record<string, object> };
    json.targets.publish = { command: 'echo published' };
    return `${JSON.stringify(json, null, 2)}\n`;
  });
  return files;
}
