import { ModuleMap } from '../../edits/module-map.js';
import { partNames } from '../../names/checked-names.js';
import { resourceCalled } from '../../workspace/resources.js';
import { needsDatabase, serviceCalled } from '../../workspace/services.js';
import { format, writeNew } from '../../workspace/write.js';

/**
 * @param {import('@nx/devkit').Tree} tree
 * @param {{ name: string; service: string; resource?: string }} options
 */
export default async function query(tree, options) {
  const service = serviceCalled(tree, options.service);
  needsDatabase(service, 'the query that is generated reads rows');
  const resource = resourceCalled(tree, service, options.resource);
  const name = partNames('query', options.name);
  const { many } = resource;
  writeNew(tree, new URL('files/', import.meta.url), service.root, {
    ...resource,
    name,
    service: service.names,
  });
  const file = `./${many.kebab}/queries/${name.kebab}.ts`;
  new ModuleMap(tree, service).add('providers', `${name.pascal}Handler`, file);
  await format(tree);
}
