import { applyChangesToString, ChangeType } from '@nx/devkit';
import ts from 'typescript';

/** @typedef {import('@nx/devkit').Tree} Tree */

/**
 * Edits one TypeScript file of a team by its syntax tree: what is added stands where the language says, and nothing else
 * of the file moves. Each edit is made at once, so that the next one sees it. Adding what is there already changes nothing.
 */
export class SourceEdit {
  /** @type {Tree} */
  #tree;
  /** @type {string} */
  #path;

  /**
   * @param {Tree} tree
   * @param {string} path
   * @throws Error where there is no such file
   */
  constructor(tree, path) {
    if (!tree.exists(path)) throw new Error(`${path} is missing: its service has another shape`);
    this.#tree = tree;
    this.#path = path;
  }

  get text() {
    return this.#tree.read(this.#path, 'utf8') ?? '';
  }

  get file() {
    return ts.createSourceFile(this.#path, this.text, ts.ScriptTarget.Latest, true);
  }

  /**
   * `import { names } from 'from'`; joined to an import of the same module where there is one.
   *
   * @param {string} from
   * @param {readonly string[]} names `X`, or `type X`
   */
  import(from, names) {
    for (const name of names) this.#importOne(from, name);
    return this;
  }

  /**
   * @param {string} from
   * @param {string} name
   */
  #importOne(from, name) {
    const imports = this.file.statements.filter(ts.isImportDeclaration);
    const bare = name.replace(/^type /, '');
    const known = imports.filter(
      ({ moduleSpecifier }) => ts.isStringLiteral(moduleSpecifier) && moduleSpecifier.text === from,
    );
    for (const { importClause } of known) {
      const named = importClause?.namedBindings;
      if (!named || !ts.isNamedImports(named)) continue;
      if (named.elements.some((element) => element.name.text === bare)) return;
    }
    for (const { importClause } of known) {
      const named = importClause?.namedBindings;
      if (!named || !ts.isNamedImports(named)) continue;
      const typeOnly = importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      if (typeOnly && !name.startsWith('type ')) continue;
      this.#addTo(named.elements, named.getEnd() - 1, typeOnly ? bare : name);
      return;
    }
    const statement = name.startsWith('type ')
      ? `import type { ${bare} } from '${from}';`
      : `import { ${name} } from '${from}';`;
    const relative = from.startsWith('.');
    const isRelative = (/** @type {ts.ImportDeclaration} */ { moduleSpecifier }) =>
      ts.isStringLiteral(moduleSpecifier) && moduleSpecifier.text.startsWith('.');
    const before = imports.filter((each) => relative || !isRelative(each)).at(-1);
    const first = imports[0];
    if (before) this.#insert(before.getEnd(), `\n${statement}`);
    else if (first) this.#insert(first.getStart(), `${statement}\n`);
    else this.#insert(0, `${statement}\n\n`);
  }

  /**
   * Adds an element to an array literal.
   *
   * @param {ts.ArrayLiteralExpression | undefined} array
   * @param {string} element
   * @param {string} what named in the error
   */
  element(array, element, what) {
    if (!array) throw new Error(`${this.#path}: ${what} is not to be found`);
    if (array.elements.some((each) => each.getText() === element)) return this;
    this.#addTo(array.elements, array.getEnd() - 1, element);
    return this;
  }

  /**
   * Adds a property to an object literal, with the comment that belongs to it.
   *
   * @param {ts.ObjectLiteralExpression | undefined} object
   * @param {string} property
   * @param {string} what named in the error
   */
  property(object, property, what) {
    if (!object) throw new Error(`${this.#path}: ${what} is not to be found`);
    this.#addTo(object.properties, object.getEnd() - 1, property);
    return this;
  }

  /**
   * Adds a member to the end of a class.
   *
   * @param {ts.ClassDeclaration} declaration
   * @param {string} member
   */
  member(declaration, member) {
    this.#insert(declaration.getEnd() - 1, `\n${member}\n`);
    return this;
  }

  /**
   * Before a statement: with its comment below it.
   *
   * @param {ts.Statement} statement
   * @param {string} text
   */
  before(statement, text) {
    this.#insert(statement.getFullStart(), `\n\n${text}\n`);
    return this;
  }

  /** @param {string} text */
  append(text) {
    this.#insert(this.text.length, text);
    return this;
  }

  /**
   * @param {ts.Node} node
   * @param {string} text
   */
  replace(node, text) {
    const start = node.getStart();
    const length = node.getEnd() - start;
    this.#write([
      { type: ChangeType.Delete, start, length },
      { type: ChangeType.Insert, index: start, text },
    ]);
    return this;
  }

  /**
   * @param {ts.NodeArray<ts.Node>} list
   * @param {number} end of the literal
   * @param {string} text
   */
  #addTo(list, end, text) {
    const last = list.at(-1);
    if (!last) this.#insert(end, text);
    // A comment may follow the last one: what is added goes in right behind it.
    else if (list.hasTrailingComma) this.#insert(list.end, ` ${text},`);
    else this.#insert(last.getEnd(), `, ${text}`);
  }

  /**
   * @param {number} index
   * @param {string} text
   */
  #insert(index, text) {
    this.#write([{ type: ChangeType.Insert, index, text }]);
  }

  /** @param {import('@nx/devkit').StringChange[]} changes */
  #write(changes) {
    this.#tree.write(this.#path, applyChangesToString(this.text, changes));
  }
}
