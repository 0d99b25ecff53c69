import ts from 'typescript';

/** @typedef {import('@nx/devkit').Tree} Tree */

const CONTRACTS = 'libs/contracts';

/**
 * An error's code belongs to one class of the whole platform, and a code is made of its class's name.
 *
 * @param {Tree} tree
 * @param {readonly string[]} names of the classes that are to be written
 * @throws Error that names the file that has it
 */
export function refuseTakenErrors(tree, names) {
  for (const service of tree.children(CONTRACTS)) {
    const path = `${CONTRACTS}/${service}/src/errors.ts`;
    if (!tree.exists(path)) continue;
    const file = ts.createSourceFile(path, tree.read(path, 'utf8') ?? '', ts.ScriptTarget.Latest);
    for (const statement of file.statements) {
      if (!ts.isClassDeclaration(statement)) continue;
      const taken = names.find((name) => name === statement.name?.text);
      if (taken) throw new Error(`the error ${taken} is taken by ${path}: choose another name`);
    }
  }
}
