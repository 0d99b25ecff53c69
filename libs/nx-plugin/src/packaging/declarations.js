import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import ts from 'typescript';

/**
 * The type declarations that the entries of a project need, by their place in the package. Types are not checked here:
 * the `typecheck` target does.
 *
 * @param {string} project absolute
 * @param {readonly string[]} entries './dist/index.js'
 * @returns {Map<string, string>} 'dist/index.d.ts' and its text
 * @throws naming the entry that has no source, or what cannot be declared
 */
export function declarationsOf(project, entries) {
  const sources = entries.map((entry) => sourceOf(project, entry));
  /** @type {Map<string, string>} */
  const declarations = new Map();
  if (sources.length === 0) return declarations;
  const program = ts.createProgram(sources, optionsOf(project));
  const src = join(project, 'src') + sep;
  for (const file of program.getSourceFiles()) {
    if (!file.fileName.startsWith(src) || file.isDeclarationFile) continue;
    const { diagnostics } = program.emit(
      file,
      (_, text) => declarations.set(placeOf(project, file.fileName), withJsImports(text)),
      undefined,
      true,
    );
    const [first] = diagnostics;
    if (first)
      throw new Error(
        `${file.fileName}: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`,
      );
  }
  return declarations;
}

/** @param {string} project @param {string} entry */
function sourceOf(project, entry) {
  const inSource = entry.replace(/^\.\/dist\//, './src/');
  const found = [inSource.replace(/\.js$/, '.ts'), inSource]
    .map((file) => join(project, file))
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${project}: the entry ${entry} has no source`);
  return found;
}

/** @param {string} project */
function optionsOf(project) {
  const config = ts.readConfigFile(join(project, 'tsconfig.json'), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, project);
  return {
    ...options,
    noEmit: false,
    noCheck: true,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: undefined,
    outDir: undefined,
  };
}

/** Beside its JavaScript: what is compiled lies in dist, what is not lies where it was written. @param {string} project @param {string} source */
function placeOf(project, source) {
  const place = relative(project, source).split(sep).join('/');
  return source.endsWith('.ts')
    ? place.replace(/^src\//, 'dist/').replace(/\.ts$/, '.d.ts')
    : place.replace(/\.(m?)js$/, '.d.$1ts');
}

/** A declaration names the file that is imported at run time, as tools of every age expect. @param {string} text */
const withJsImports = (text) =>
  text.replace(/((?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]*)\.ts(['"])/g, '$1.js$2');
