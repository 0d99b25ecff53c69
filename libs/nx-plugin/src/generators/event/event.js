import { constantOf } from '../../edits/find.js';
import { SourceEdit } from '../../edits/source-edit.js';
import { partNames } from '../../names/checked-names.js';
import { afterContract } from '../../workspace/after-contract.js';
import { resourceCalled } from '../../workspace/resources.js';
import { serviceCalled } from '../../workspace/services.js';
import { format, writeNew } from '../../workspace/write.js';
import { schemasOf } from '../resource/wire-contract.js';

/**
 * @param {import('@nx/devkit').Tree} tree
 * @param {{ name: string; service: string; resource?: string }} options
 */
export default async function event(tree, options) {
  const service = serviceCalled(tree, options.service);
  const resource = resourceCalled(tree, service, options.resource);
  const name = partNames('event', options.name);
  const { one } = resource;
  const type = `${service.names.kebab}.${one.kebab}.${name.kebab}.v1`;
  const edit = new SourceEdit(tree, `${service.contractRoot}/src/events.ts`);
  const known = schemasOf(edit).object.properties.map((property) => property.name?.getText());
  if (known.includes(`'${type}'`)) throw new Error(`there is an event ${type} already`);
  writeNew(tree, new URL('files/', import.meta.url), service.contractRoot, {
    ...resource,
    name,
    type,
    database: service.database,
    service: service.names,
  });
  const reference = `${one.pascal}Reference`;
  if (!constantOf(edit.file, (constant) => constant === reference)) {
    edit.import('zod', ['z']).before(
      schemasOf(edit).statement,
      `const ${reference} = z.object({
  ${one.snake}_id: z.uuid(),
  organization_id: z.uuid().nullable(),${service.database ? '\n  version: z.int().min(1),' : ''}
});`,
    );
  }
  edit.property(schemasOf(edit).object, `'${type}': ${reference}`, 'the map of events');
  await format(tree);
  return afterContract(tree, service.contractRoot);
}
