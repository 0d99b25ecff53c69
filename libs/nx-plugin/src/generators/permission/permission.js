import { ModuleMap } from '../../edits/module-map.js';
import { namesOf } from '../../names/names.js';
import { serviceCalled } from '../../workspace/services.js';
import { format, writeNew } from '../../workspace/write.js';

/**
 * @param {import('@nx/devkit').Tree} tree
 * @param {{ name: string; service: string; description: string; scope?: 'organization' | 'platform' }} options
 */
export default async function permission(tree, options) {
  const service = serviceCalled(tree, options.service);
  const { description, scope = 'organization' } = options;
  const parts = options.name.split('.');
  if (parts.length === 3 && parts[0] === service.namespace) parts.shift();
  const [resource = '', action = ''] = parts.map((part) => namesOf(part).kebab);
  if (parts.length !== 2 || ![resource, action].every((part) => /^[a-z][a-z0-9-]*$/.test(part))) {
    throw new Error(`"${options.name}" is no permission: expected <resource>.<action>`);
  }
  const permission = `${service.namespace}.${resource}.${action}`;
  const map = new ModuleMap(tree, service);
  if (map.text.includes(`'${permission}'`)) {
    throw new Error(`${service.names.kebab} declares ${permission} already`);
  }
  writeNew(tree, new URL('files/', import.meta.url), service.root, {
    name: namesOf(`${resource}-${action}`),
    permission,
    scope,
    service: service.names,
  });
  const text = JSON.stringify(description);
  map.addPermission(`{ name: '${permission}', description: ${text}, scope: '${scope}' }`);
  await format(tree);
}
