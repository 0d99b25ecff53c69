import { versions } from '../../workspace/versions.js';

/** @typedef {import('../../names/names.js').Names} Names */

const json = (/** @type {object} */ value) => JSON.stringify(value, null, 2);

/** @param {readonly (string | false)[]} names */
const dependencies = (names) =>
  Object.fromEntries(
    names
      .filter((name) => name !== false)
      .sort()
      .map((name) => [name, versions.of(name)]),
  );

/**
 * @param {{ names: Names; contractPackage: string; grpc: boolean; database: boolean; prefixes: string[]; description: string; owner: string }} of
 */
export function servicePackageJson(of) {
  const { names, contractPackage, grpc, database, prefixes, description, owner } = of;
  return json({
    name: `@gatehouse/${names.kebab}`,
    version: versions.platform,
    private: true,
    description,
    ...(owner !== '' && { author: owner }),
    license: 'Apache-2.0',
    type: 'module',
    dependencies: dependencies([
      database && '@gatehouse/cache',
      contractPackage,
      '@gatehouse/contracts-platform',
      '@gatehouse/discovery',
      '@gatehouse/event-bus',
      '@gatehouse/guards',
      '@gatehouse/kernel',
      // Who depends on it has a schema: the provisioner goes by this too.
      database && '@gatehouse/persistence',
      '@nestjs/common',
      '@nestjs/core',
      '@nestjs/cqrs',
      grpc && '@nestjs/microservices',
      '@nestjs/platform-fastify',
      '@nestjs/swagger',
      'reflect-metadata',
      'rxjs',
      database && 'typeorm',
      'zod',
    ]),
    devDependencies: dependencies([
      grpc && '@gatehouse/clients',
      '@gatehouse/testing',
      '@gatehouse/testing-platform',
      '@nestjs/testing',
    ]),
    gatehouse: { name: names.kebab, prefixes, namespace: names.kebab },
  });
}

/** @param {{ names: Names; contractPackage: string; grpc: boolean }} of */
export function contractPackageJson({ names, contractPackage, grpc }) {
  return json({
    name: contractPackage,
    version: versions.platform,
    description: `What ${names.words} offers to its callers: ${grpc ? 'gRPC messages, ' : ''}events and error codes.`,
    license: 'Apache-2.0',
    type: 'module',
    exports: {
      '.': { '@gatehouse/source': './src/index.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
    dependencies: dependencies(['@gatehouse/contracts-platform', 'zod']),
  });
}
