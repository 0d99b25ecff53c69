import { ModuleMap } from '../../edits/module-map.js';
import { partNames } from '../../names/checked-names.js';
import { contractPackageOf, serviceCalled } from '../../workspace/services.js';
import { namesOf } from '../../names/names.js';
import { addDependencies } from '../../workspace/dependencies.js';
import { eventCalled } from '../../workspace/event-types.js';
import { afterContract } from '../../workspace/after-contract.js';
import { format, writeNew } from '../../workspace/write.js';

/**
 * @param {import('@nx/devkit').Tree} tree
 * @param {{ name: string; service: string; event: string; mode?: 'group' | 'broadcast' }} options
 */
export default async function subscriber(tree, options) {
  const service = serviceCalled(tree, options.service);
  const name = partNames('subscriber', options.name);
  const { mode = 'group' } = options;
  const event = eventCalled(tree, options.event);
  const [publisher = '', entity = ''] = event.type.split('.');
  const contractPackage = contractPackageOf(namesOf(publisher));
  const values = {
    name,
    mode,
    database: service.database,
    ...event,
    entity: namesOf(entity),
    example: JSON.stringify(event.example),
    contractPackage,
    peers: JSON.stringify([publisher]),
    service: service.names,
  };
  writeNew(tree, new URL('files/', import.meta.url), service.root, { ...values, publisher });
  const file = `./subscribers/${name.kebab}.subscriber.ts`;
  new ModuleMap(tree, service).add('providers', `${name.pascal}Subscriber`, file);
  const install = addDependencies(tree, service.root, [contractPackage]);
  await format(tree);
  return afterContract(tree, service.contractRoot, { install });
}
