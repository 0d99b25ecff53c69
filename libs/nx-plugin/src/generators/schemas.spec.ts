import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

interface Schema {
  $id: string;
  title: string;
  description: string;
  required: string[];
  examples: { command: string; description: string }[];
  properties: Record<string, { description: string; 'x-prompt'?: string }>;
}
const plugin = new URL('../../', import.meta.url);
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, plugin), 'utf8'));
const { generators } = read('generators.json') as {
  generators: Record<string, { factory: string; schema: string; description: string }>;
};

describe.each(Object.entries(generators))(
  'the help of %s',
  (name, { factory, schema, description }) => {
    const help = read(schema) as Schema;

    it('says in sentences what it does and what each option is', () => {
      expect(existsSync(new URL(factory, plugin))).toBe(true);
      for (const text of [description, help.description]) expect(text).toMatch(/^[A-Z].*\.$/);
      for (const option of Object.values(help.properties)) {
        expect(option.description.length).toBeGreaterThan(10);
        expect(option.description).toMatch(/\.$|`$/);
      }
    });

    it('shows how to call it', () => {
      expect(help.examples.length).toBeGreaterThan(0);
      for (const { command } of help.examples) {
        expect(command).toContain(`nx g @gatehouse/nx-plugin:${name}`);
      }
    });

    it('asks for what must be said', () => {
      for (const option of help.required)
        expect(help.properties[option]?.['x-prompt']).toMatch(/\?$/);
    });
  },
);
