import ts from 'typescript';

import { classOf } from '../edits/find.js';
import { namesOf, singularOf } from '../names/names.js';

/** @typedef {import('@nx/devkit').Tree} Tree */
/** @typedef {import('./services.js').Service} Service */
/** @typedef {import('../names/checked-names.js').ResourceNames} ResourceNames */

/**
 * The resources that were generated into a service: those whose store knows organizations, or what is heard of them lately
 * does.
 *
 * @param {Tree} tree
 * @param {Pick<Service, 'root'>} service
 * @returns {ResourceNames[]}
 */
export function resourcesOf(tree, { root }) {
  return tree.children(`${root}/src`).flatMap((folder) => {
    const many = namesOf(folder);
    const one = namesOf(singularOf(folder));
    const at = `${root}/src/${folder}`;
    const [path, name] = tree.exists(`${at}/recent-${many.kebab}.ts`)
      ? [`${at}/recent-${many.kebab}.ts`, `Recent${many.pascal}`]
      : [`${at}/${one.kebab}.store.ts`, `${one.pascal}Store`];
    if (!tree.exists(path)) return [];
    const file = ts.createSourceFile(
      path,
      tree.read(path, 'utf8') ?? '',
      ts.ScriptTarget.Latest,
      true,
    );
    const store = classOf(file, name);
    const known = store?.members.some((member) => member.name?.getText() === 'of');
    return known ? [{ one, many }] : [];
  });
}

/**
 * @param {Tree} tree
 * @param {Service} service
 * @param {string | undefined} given in either number; may be left out where there is one resource
 * @returns {ResourceNames}
 */
export function resourceCalled(tree, service, given) {
  const resources = resourcesOf(tree, service);
  const known = resources.map(({ one }) => one.kebab).join(', ') || 'none';
  if (given === undefined || given === '') {
    const [only, another] = resources;
    if (only && !another) return only;
    throw new Error(`--resource: which one of ${service.names.kebab}? There are ${known}`);
  }
  const { kebab } = namesOf(singularOf(given));
  const found = resources.find(({ one }) => one.kebab === kebab);
  if (found) return found;
  throw new Error(
    `${service.names.kebab} has no generated resource "${kebab}"; there are ${known}`,
  );
}
