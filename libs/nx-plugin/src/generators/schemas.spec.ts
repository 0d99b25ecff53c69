import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

interface Option {
  type: string;
  description: string;
  'x-prompt'?: unknown;
  $default?: { $source: string; index: number };
}
interface Schema {
  $id: string;
  title: string;
  description: string;
  required: string[];
  examples: { command: string; description: string }[];
  additionalProperties: boolean;
  properties: Record<string, Option>;
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
      for (const option of help.required) {
        const prompt = help.properties[option]?.['x-prompt'];
        const message =
          typeof prompt === 'string' ? prompt : (prompt as { message: string }).message;
        expect(message).toMatch(/\?$/);
      }
    });

    it('takes its NAME as the first word, and no option that it does not know', () => {
      const { name: own } = help.properties;
      if (own) expect(own.$default).toEqual({ $source: 'argv', index: 0 });
      expect(help.additionalProperties).toBe(false);
      for (const { type } of Object.values(help.properties)) {
        expect(type).toMatch(/^(string|boolean)$/);
      }
    });
  },
);
