/** One variable that keeps the process from starting. The value itself is never repeated: it may be a secret. */
export interface ConfigProblem {
  variable: string;
  /** What is wrong with it. */
  problem: string;
  /** A value that would do, where the schema has one. */
  example?: string | undefined;
}

/** The environment does not hold what the process needs. Stops the start. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly ConfigProblem[]) {
    super(
      [
        'The configuration is not valid:',
        ...problems.map((problem) => `  ${describe(problem)}`),
      ].join('\n'),
    );
  }
}

function describe({ variable, problem, example }: ConfigProblem): string {
  return `${variable}: ${problem}${example === undefined ? '' : ` (for example ${variable}=${example})`}`;
}
