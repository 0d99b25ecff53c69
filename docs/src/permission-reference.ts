import type { Reflector } from '@nestjs/core';

import { CORE_APPS, exportsOf, filesAt } from './sources.ts';
import { code, table } from './table.ts';

const GUARDS = 'libs/guards/src';
/** Guards give these controllers their paths and permissions as soon as they know the service. */
const OF_EVERY_SERVICE = [
  {
    module: `${GUARDS}/log-level/log-level.module.ts`,
    controllers: [`${GUARDS}/log-level/log-level.controller.ts`],
  },
  {
    module: `${GUARDS}/event-operations/event-operations.module.ts`,
    controllers: [
      `${GUARDS}/event-operations/events.controller.ts`,
      `${GUARDS}/event-operations/dead-letters.controller.ts`,
    ],
  },
];
/** Of Nest's `RequestMethod`, by its numbers. */
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'];

interface AccessRule {
  kind: string;
  permission: string;
  scope: string;
  description: string;
  orSelf?: string;
}
type Class = new (...args: never[]) => object;

interface Asked extends AccessRule {
  /** `GET /v1/users/{id}` */
  route: string;
}

/** `docs/reference/permissions.md`: every permission that a route of the platform asks for, and which routes do. */
export async function permissionReference(): Promise<string> {
  const own = await askedAt(filesAt(`${CORE_APPS}/src/**/*.controller.ts`));
  const services = [...Map.groupBy(own, ({ permission }) => permission.split('.')[0] ?? '')];
  const shared = (await Promise.all(OF_EVERY_SERVICE.map(ofEveryService))).flat();
  const sections = [
    ...services
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([service, asked]) => `## Of ${service}\n\n${rowsOf(asked)}`),
    `## Of every service

\`<service>\` is the name of the service and its namespace. The gateway has those of its log level alone: it keeps no events.

${rowsOf(shared)}`,
  ];
  return `# Permissions

<!-- Written by \`npm run docs:reference\` from the controllers of the services. -->

What a role can hold. A permission belongs to the namespace of the service whose routes ask for it, and comes into the catalogue
(\`GET /v1/permissions\`) with the service. _Scope_ is where it is decided: for the platform, or for the organization that the token
chose (the platform, where it chose none). Where a route is open to the subject itself, nobody needs the permission for the own one.

${sections.join('\n\n')}
`;
}

async function ofEveryService({ module, controllers }: (typeof OF_EVERY_SERVICE)[number]) {
  const [Module] = Object.values(await exportsOf(module)) as [
    new (service: { name: string; namespace: string }) => object,
  ];
  new Module({ name: '{service}', namespace: '<service>' });
  return askedAt(controllers);
}

async function askedAt(files: readonly string[]): Promise<Asked[]> {
  const { Access } = (await exportsOf(`${GUARDS}/decorators/access.decorators.ts`)) as {
    Access: ReturnType<typeof Reflector.createDecorator>;
  };
  const classes = await Promise.all(
    files.map(async (file) => Object.values(await exportsOf(file))),
  );
  return classes
    .flat()
    .filter((exported): exported is Class => typeof exported === 'function')
    .flatMap((controller) => routesOf(controller, Access.KEY));
}

function routesOf(controller: Class, accessKey: string): Asked[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = prototype[name] as object;
    const rule = metadata(accessKey, handler) as AccessRule | undefined;
    if (rule?.kind !== 'permission') return [];
    const path = [pathOf(controller), pathOf(handler)].filter((part) => part !== '').join('/');
    const method = METHODS[metadata('method', handler) as number] ?? '';
    return [{ ...rule, route: `${method} /${path.replaceAll(/:(\w+)/g, '{$1}')}` }];
  });
}

function metadata(key: string, target: object): unknown {
  return Reflect.getMetadata(key, target);
}

function pathOf(target: object): string {
  const path = metadata('path', target);
  return typeof path === 'string' ? path.replaceAll(/^\/|\/$/g, '') : '';
}

function rowsOf(asked: readonly Asked[]): string {
  const permissions = [...Map.groupBy(asked, ({ permission }) => permission)];
  return table(
    ['Permission', 'Scope', 'Meaning', 'Asked for by'],
    permissions
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, routes]) => [
        code(name),
        [...new Set(routes.map(({ scope }) => scope))].join(', '),
        routes.find(({ description }) => description !== '')?.description ?? '',
        routes
          .map(({ route, orSelf }) => code(route) + (orSelf === undefined ? '' : ' (or the own)'))
          .join(', '),
      ]),
  );
}
