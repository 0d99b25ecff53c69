import { readdirSync } from 'node:fs';
import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const folders = (path) =>
  readdirSync(new URL(path, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

// Read from the tree, so that a new service is bound by the rules without an edit here.
const scopes = [...new Set([...folders('apps'), ...folders('libs/contracts')])].filter(
  (name) => name !== 'platform',
);

// From the bottom to the top. Libraries of one layer do not see each other.
const layers = [
  'testing',
  'contracts-platform',
  'kernel',
  'persistence',
  'transport', // event-bus, discovery
  'integration', // clients, cache
  'guards',
  'launcher',
  'testing-platform',
];
// Everybody else reaches a service through what the guards and the clients offer.
const contractsOfGuards = ['scope:auth', 'scope:authz', 'scope:audit'];

const depConstraints = [
  { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:lib', 'type:contract'] },
  { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['type:lib', 'type:contract'] },
  { sourceTag: 'type:contract', onlyDependOnLibsWithTags: ['type:contract'] },
  // Its tests start programs; it runs without anything of ours.
  { sourceTag: 'type:plugin', onlyDependOnLibsWithTags: ['layer:testing'] },
  // What is written for people is generated from the code.
  { sourceTag: 'type:docs', onlyDependOnLibsWithTags: ['type:lib', 'type:contract'] },
  { sourceTag: 'type:deploy', onlyDependOnLibsWithTags: ['type:lib'] },
  ...scopes.flatMap((scope) => [
    {
      allSourceTags: ['type:app', `scope:${scope}`],
      onlyDependOnLibsWithTags: [`scope:${scope}`, 'scope:shared', 'type:contract'],
    },
    {
      allSourceTags: ['type:lib', `scope:${scope}`],
      onlyDependOnLibsWithTags: [`scope:${scope}`, 'scope:shared'],
    },
    {
      allSourceTags: ['type:contract', `scope:${scope}`],
      onlyDependOnLibsWithTags: [`scope:${scope}`, 'scope:shared'],
    },
  ]),
  ...layers.map((layer, index) => ({
    sourceTag: `layer:${layer}`,
    onlyDependOnLibsWithTags: [
      ...layers.slice(0, index).map((below) => `layer:${below}`),
      ...(layer === 'guards' ? contractsOfGuards : []),
    ],
  })),
  {
    sourceTag: 'layer:contracts-service',
    onlyDependOnLibsWithTags: ['layer:contracts-platform', 'layer:contracts-service'],
  },
];

export default defineConfig(
  {
    ignores: [
      '**/dist/**',
      '**/coverage/**',
      '**/test-results/**',
      '**/generated/**',
      '**/.nx/**',
      '**/.gatehouse/**',
      'libs/nx-plugin/**/files/**',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    },
    rules: {
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Nest modules, controllers and tokens are classes that carry only decorators.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // It asks for the `!` that strict forbids.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@nestjs/cqrs',
              importNames: ['EventBus'],
              message:
                'It publishes inside this process only: use IntegrationEvents from @gatehouse/event-bus.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', '**/*.int-spec.ts', '**/*.e2e-spec.ts'],
    rules: {
      // `expect(service.method)` names a method without calling it.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['**/*.js', '**/*.mjs'], languageOptions: { globals: globals.node } },
  {
    files: ['**/*.ts', '**/*.js', '**/*.mjs'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { depConstraints }],
    },
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
);
