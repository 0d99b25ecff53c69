import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';

export const WORKSPACE = join(import.meta.dirname, '..', '..');

/** Whose code these pages are written from. A service that a team generates has pages of its own. */
const CORE = '{audit,auth,authz,cli,gateway,identity}';
export const CORE_APPS = `apps/${CORE}`;
export const CORE_CONTRACTS = 'libs/contracts/{audit,auth,authz,identity,platform}';

/** Of the workspace, sorted. */
export function filesAt(pattern: string): string[] {
  return globSync(pattern, { cwd: WORKSPACE }).sort();
}

export function textOf(file: string): string {
  return readFileSync(join(WORKSPACE, file), 'utf8');
}

/** What a source file of the workspace exports. */
export async function exportsOf(file: string): Promise<Record<string, unknown>> {
  return (await import(join(WORKSPACE, file))) as Record<string, unknown>;
}

/** The comments above classes and members of object literals in a file, by name: `UserNotFound`, `EVENT_POLL_MS`. */
export function commentsOf(file: string): Map<string, string> {
  const source = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true);
  const comments = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isClassDeclaration(node) || ts.isPropertyAssignment(node)) {
      const name = node.name?.getText(source).replaceAll(/['"]/g, '');
      const text = ts
        .getJSDocCommentsAndTags(node)
        .filter(ts.isJSDoc)
        .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
        .join(' ');
      if (name !== undefined && text !== '') comments.set(name, text.replaceAll(/\s+/g, ' '));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return comments;
}

/** `libs/contracts/identity/src/errors.ts` is the file of `identity`. */
export function contractOf(file: string): string {
  return file.split('/')[2] ?? file;
}
