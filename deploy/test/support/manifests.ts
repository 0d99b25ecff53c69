import { join } from 'node:path';
import ts from 'typescript';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: Record<string, unknown>;
}

/** Packages that hold the types of Kubernetes' API and of those added to it, by the end of the group's name. */
const MODELS: readonly (readonly [string, string])[] = [
  ['monitoring.coreos.com', '@kubernetes-models/prometheus-operator'],
  ['gateway.networking.k8s.io', '@kubernetes-models/gateway-api'],
  ['', 'kubernetes-models'],
];

function modelOf({ apiVersion, kind }: Manifest): string {
  const [group = ''] = apiVersion.split('/');
  const [, model = ''] = MODELS.find(([name]) => name === group || name === '') ?? [];
  return `${model}/${apiVersion}/${kind}`;
}

/**
 * What each manifest has that its type in Kubernetes' API does not allow: missing members, values of another type or outside
 * an enumeration. By the validators that kubernetes-models made of the OpenAPI documents; they say nothing of members that
 * nobody knows: for those there is `unknownMembers`.
 */
export async function faults(manifests: readonly Manifest[]): Promise<string[]> {
  const found = await Promise.all(
    manifests.map(async (manifest) => {
      const module = (await import(modelOf(manifest))) as Record<string, ModelClass>;
      const Model = module[manifest.kind];
      if (!Model) return [`${named(manifest)}: nobody knows such a kind`];
      try {
        new Model(manifest).validate();
        return [];
      } catch (error) {
        return [`${named(manifest)}: ${(error as Error).message}`];
      }
    }),
  );
  return found.flat();
}

type ModelClass = new (data: unknown) => { validate(): void };

/**
 * Misspelt members, at any depth: each manifest is given to the compiler as a literal of its type, which refuses what the type
 * does not name.
 */
export function unknownMembers(manifests: readonly Manifest[]): string[] {
  const lines = manifests.map((manifest, index) => {
    const type = `import('${modelOf(manifest)}').I${manifest.kind}`;
    return `export const m${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  const file = join(import.meta.dirname, 'rendered.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ['lib.es2024.d.ts'],
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const real = ts.createCompilerHost(options);
  const text = lines.join('\n');
  // The file is in memory alone, beside this one, from where packages are found.
  const host: ts.CompilerHost = {
    ...real,
    fileExists: (name) => name === file || real.fileExists(name),
    readFile: (name) => (name === file ? text : real.readFile(name)),
    getSourceFile: (name, ...rest) =>
      name === file
        ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2024)
        : real.getSourceFile(name, ...rest),
  };
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ start = 0, messageText, file: source }) => {
    const line = source?.getLineAndCharacterOfPosition(start).line ?? 0;
    const manifest = manifests[line];
    const what = ts.flattenDiagnosticMessageText(messageText, ' ');
    return `${manifest ? named(manifest) : '?'}: ${what}`;
  });
}

function named({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
}
