import ts from 'typescript';

/**
 * Every node of a kind, depth first.
 *
 * @template {ts.Node} N
 * @param {ts.Node} root
 * @param {(node: ts.Node) => node is N} is
 * @returns {N[]}
 */
export function nodesOf(root, is) {
  /** @type {N[]} */
  const found = [];
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (is(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}

/**
 * @param {ts.SourceFile} file
 * @param {string} name
 */
export const classOf = (file, name) =>
  file.statements.find(
    /** @returns {statement is ts.ClassDeclaration} */
    (statement) => ts.isClassDeclaration(statement) && statement.name?.text === name,
  );

/**
 * The argument object of a class's decorator: `@Module({ ... })`.
 *
 * @param {ts.ClassDeclaration | undefined} declaration
 * @param {string} decorator
 */
export function decoratorArgument(declaration, decorator) {
  if (!declaration) return undefined;
  for (const { expression } of ts.getDecorators(declaration) ?? []) {
    if (!ts.isCallExpression(expression) || expression.expression.getText() !== decorator) continue;
    const [argument] = expression.arguments;
    return argument && ts.isObjectLiteralExpression(argument) ? argument : undefined;
  }
  return undefined;
}

/**
 * The value of a member of an object literal.
 *
 * @param {ts.ObjectLiteralExpression | undefined} object
 * @param {string} name
 */
export function valueOf(object, name) {
  const property = object?.properties.find(
    /** @returns {each is ts.PropertyAssignment} */
    (each) => ts.isPropertyAssignment(each) && each.name.getText() === name,
  );
  return property?.initializer;
}

/**
 * @param {ts.ObjectLiteralExpression | undefined} object
 * @param {string} name
 */
export function arrayOf(object, name) {
  const value = valueOf(object, name);
  return value && ts.isArrayLiteralExpression(value) ? value : undefined;
}

/**
 * The object that a call `Name.method({ ... })` in this tree is given first.
 *
 * @param {ts.Node} root
 * @param {string} callee `KernelModule.forService`
 */
export function argumentOf(root, callee) {
  const call = callOf(root, callee);
  const [argument] = call?.arguments ?? [];
  return argument && ts.isObjectLiteralExpression(argument) ? argument : undefined;
}

/**
 * @param {ts.Node} root
 * @param {string} callee
 */
export const callOf = (root, callee) =>
  nodesOf(root, ts.isCallExpression).find(({ expression }) => expression.getText() === callee);

/**
 * What a `const` of the file's top level is set to.
 *
 * @param {ts.SourceFile} file
 * @param {(name: string) => boolean} named
 */
export function constantOf(file, named) {
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (ts.isIdentifier(name) && named(name.text)) return { statement, initializer };
    }
  }
  return undefined;
}
