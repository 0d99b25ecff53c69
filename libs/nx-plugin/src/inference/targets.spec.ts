import { targetsOf } from './targets.js';

const names = (files: string[]) => Object.keys(targetsOf('libs/some', files)).sort();
const command = (files: string[], target: string, root = 'libs/some') =>
  (targetsOf(root, files)[target]?.options as { command: string }).command;

describe('the targets of a project', () => {
  it('are lint and typecheck where there is nothing to build or to test', () => {
    expect(names(['tsconfig.json', 'src/index.js'])).toEqual(['lint', 'typecheck']);
  });

  it('have a build where the project has an entry point', () => {
    expect(names(['src/index.ts'])).toContain('build');
    expect(names(['src/main.ts'])).toContain('build');
  });

  it('have a serve for an app only', () => {
    expect(names(['src/main.ts'])).toContain('serve');
    expect(names(['src/index.ts'])).not.toContain('serve');
  });

  it('serve an app through the command, which lets it join the running platform', () => {
    expect(command(['src/main.ts'], 'serve', 'apps/identity')).toBe(
      'node ../../node_modules/@gatehouse/cli/dist/main.js serve identity',
    );
  });

  it('have a package where npm may publish the project, apart from its siblings', () => {
    const { package: published } = targetsOf('libs/contracts/auth', [], 'contracts-auth', true);
    expect(published?.options).toEqual({ outputPath: 'dist/packages/contracts-auth' });
    expect(names(['package.json'])).not.toContain('package');
  });

  it.each(['src/a.spec.ts', 'src/deep/a.int-spec.ts', 'test/a.int-spec.ts'])(
    'have a test, and no e2e, for %s',
    (file) => {
      expect(names([file])).toEqual(['lint', 'test']);
    },
  );

  it('have an e2e, and no test, for what lies in test/ and goes through transports', () => {
    expect(names(['test/a.e2e-spec.ts'])).toEqual(['e2e', 'lint']);
    expect(names(['src/a.e2e-spec.ts'])).toEqual(['lint']);
  });

  it('keep tests out of what is built', () => {
    expect(command(['src/index.ts'], 'build')).toContain(
      '--ignore "**/*.spec.ts" --ignore "**/*.int-spec.ts" --ignore "**/*.e2e-spec.ts"',
    );
  });

  it('find the configuration of the workspace from any depth', () => {
    expect(command(['src/index.ts'], 'build', 'libs/contracts/auth')).toContain(
      '--config-file ../../../.swcrc',
    );
    expect(command(['src/a.spec.ts'], 'test', 'apps/auth')).toContain(
      '--config ../../jest.preset.js',
    );
  });

  it.each(['test', 'e2e'] as const)('declare the report of %s as an output', (target) => {
    const files = ['test/a.int-spec.ts', 'test/a.e2e-spec.ts'];
    expect(command(files, target)).toContain(`--outputFile=test-results/${target}.json`);
    expect(targetsOf('libs/some', files)[target]?.outputs).toEqual([
      `{projectRoot}/test-results/${target}.json`,
    ]);
  });
});
