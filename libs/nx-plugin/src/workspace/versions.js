import { readJson } from '@nx/devkit';
import { readFileSync } from 'node:fs';

/** What a generated service depends on besides the platform: as the core services do, which a test checks. */
const OTHERS = {
  '@nestjs/common': '12.5.1',
  '@nestjs/core': '12.5.1',
  '@nestjs/cqrs': '12.0.0',
  '@nestjs/microservices': '12.1.1',
  '@nestjs/platform-fastify': '12.5.0',
  '@nestjs/swagger': '12.0.2',
  '@nestjs/testing': '12.1.1',
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
  typeorm: '1.1.1',
  zod: '4.6.7',
};

/** The platform's packages are released together, the plugin among them. */
const { version: platform } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

export const versions = {
  /** @type {string} */
  platform,
  others: OTHERS,
  /**
   * @param {string} name of a package
   * @returns {string}
   */
  of(name) {
    if (name.startsWith('@gatehouse/')) return platform;
    const known = Object.entries(OTHERS).find(([each]) => each === name);
    if (!known) throw new Error(`the version of ${name} is not known`);
    return known[1];
  },
};

/**
 * Of the workspace's own packages, which have the platform's scope and are not released with it.
 *
 * @param {import('@nx/devkit').Tree} tree
 * @returns {Record<string, string>} by name
 */
export function ownVersions(tree) {
  const manifests = ['apps', 'libs', 'libs/contracts'].flatMap((parent) =>
    tree.children(parent).map((folder) => `${parent}/${folder}/package.json`),
  );
  return Object.fromEntries(
    manifests
      .filter((file) => tree.exists(file))
      .map((file) => readJson(tree, file))
      .map(({ name, version }) => [name, version]),
  );
}
