/** @typedef {import('@nx/devkit').TargetConfiguration} Target */

/**
 * @param {string} cwd relative to the workspace
 * @param {string} command
 * @param {Partial<Target>} [more]
 * @returns {Target}
 */
const run = (cwd, command, more) => ({
  executor: 'nx:run-commands',
  options: { command, cwd },
  ...more,
});

/**
 * The JSON report is a declared output: the counts then come back from Nx's cache with the task.
 *
 * @param {string} root
 * @param {'test' | 'e2e'} target
 * @param {string} config
 * @param {string} [flags]
 */
const jest = (root, target, config, flags = '') =>
  run(
    root,
    `jest --config ${config} --rootDir .${flags} --json --outputFile=test-results/${target}.json`,
    { outputs: [`{projectRoot}/test-results/${target}.json`] },
  );

/** Tests are checked and linted as sources are, but not built. */
const NOT_BUILT = ['**/*.spec.ts', '**/*.int-spec.ts', '**/*.e2e-spec.ts'];

/**
 * The targets of the project at `root` (relative to the workspace) that has these `files` (relative
 * to the project). What they depend on and read is policy, not a fact about files: see
 * `targetDefaults` in nx.json.
 *
 * @param {string} root
 * @param {readonly string[]} files
 * @param {string} [name] of the project; default: of its folder
 * @param {boolean} [published] whether npm may publish it
 * @returns {Record<string, Target>}
 */
export function targetsOf(
  root,
  files,
  name = root.slice(root.lastIndexOf('/') + 1),
  published = false,
) {
  const up = root.replaceAll(/[^/]+/g, '..');
  const has = (/** @type {RegExp} */ pattern) => files.some((file) => pattern.test(file));
  const isApp = has(/^src\/main\.ts$/);
  const swc = [
    'swc src -d dist --strip-leading-paths --copy-files --quiet',
    `--config-file ${up}/.swcrc`,
    ...NOT_BUILT.map((glob) => `--ignore "${glob}"`),
  ].join(' ');

  /** @type {Record<string, Target>} */
  const targets = { lint: run(root, 'eslint . --max-warnings=0') };
  if (has(/^tsconfig\.json$/)) targets.typecheck = run(root, 'tsc -p tsconfig.json');
  if (isApp || has(/^src\/index\.ts$/)) {
    targets.build = run(root, `${swc} --delete-dir-on-start`, { outputs: ['{projectRoot}/dist'] });
  }
  if (published) {
    targets.package = {
      executor: '@gatehouse/nx-plugin:package',
      options: { outputPath: `dist/packages/${root.split('/').slice(1).join('-')}` },
      outputs: ['{options.outputPath}'],
    };
  }
  if (isApp) {
    // The command compiles and restarts it at every change, as part of the platform that runs.
    targets.serve = run(root, `node ${up}/node_modules/@gatehouse/cli/dist/main.js serve ${name}`);
  }
  if (has(/^src\/events\.ts$/)) {
    const tools = `${up}/node_modules/@gatehouse/contracts-platform/tools`;
    targets.generate = run(root, `node --conditions=@gatehouse/source ${tools}/generate.mjs .`);
    if (has(/^buf\.yaml$/)) {
      targets['buf-lint'] = run(root, 'buf lint');
      targets['buf-breaking'] = run(root, `node ${tools}/breaking.mjs .`);
    }
  }
  if (has(/^(src|test)\/.*\.(int-)?spec\.ts$/)) {
    targets.test = jest(root, 'test', `${up}/jest.preset.js`);
  }
  if (has(/^test\/.*\.e2e-spec\.ts$/)) {
    targets.e2e = jest(root, 'e2e', `${up}/jest.e2e.preset.js`, ' --runInBand');
  }
  return targets;
}
