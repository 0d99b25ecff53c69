import { CommandError } from '../commands/context.ts';
import { EXIT, Refused } from './gateway.ts';

export interface Answered<T> {
  service: string;
  answer: T;
}

/** A service that did not say what it was asked. */
export interface Unanswered {
  service: string;
  status: number;
  message: string;
}

export interface Answers<T> {
  answers: Answered<T>[];
  problems: Unanswered[];
}

/**
 * Asks every service the same; one that is away takes nothing from the others.
 * @throws CommandError where the token is not valid (exit code 3), or no service lets its holder in (4)
 */
export async function askAll<T>(
  services: readonly string[],
  ask: (service: string) => Promise<T>,
): Promise<Answers<T>> {
  const result: Answers<T> = { answers: [], problems: [] };
  await Promise.all(
    services.map(async (service) => {
      try {
        result.answers.push({ service, answer: await ask(service) });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const { status, message } = error;
        result.problems.push({ service, status, message });
      }
    }),
  );
  const byService = (a: { service: string }, b: { service: string }) =>
    a.service < b.service ? -1 : 1;
  result.answers.sort(byService);
  result.problems.sort(byService);
  const [first] = result.problems;
  if (first?.status === 401) {
    throw new CommandError(
      `not logged in: the token is not valid (any more): ${first.message}`,
      EXIT.notLoggedIn,
    );
  }
  if (result.answers.length === 0 && result.problems.some(({ status }) => status === 403)) {
    const denied = result.problems.find(({ status }) => status === 403);
    throw new CommandError(`not allowed: ${denied?.message ?? ''}`, EXIT.forbidden);
  }
  return result;
}

/** Says why a service is not among the answers. */
export function describe({ service, status, message }: Unanswered): string {
  if (status === 404 || status >= 500) return `${service} is away: ${message}`;
  return `${service} refuses: ${message}`;
}
