import { Injectable, type OnModuleInit } from '@nestjs/common';

import { ManifestBuilder } from '../manifest/manifest-builder.ts';
import { Endpoints, type GrpcEndpoint, type HttpEndpoint } from './endpoints.ts';

/** A route or gRPC method declares something wrong, or nothing. Stops the start and names each. */
export class AccessNotDeclared extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The access rules of this service do not hold:\n${problems.map((problem) => `- ${problem}`).join('\n')}`,
    );
    this.name = 'AccessNotDeclared';
  }
}

/** Runs before anything listens: deny by default begins with not starting. */
@Injectable()
export class AccessCheck implements OnModuleInit {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly manifest: ManifestBuilder,
  ) {}

  onModuleInit(): void {
    const problems = this.endpoints
      .all()
      .filter(({ rules }) => !rules.admin)
      .flatMap((endpoint) =>
        problemsOf(endpoint).map((problem) => `${describe(endpoint)} ${problem}`),
      );
    if (problems.length > 0) throw new AccessNotDeclared(problems);
    const wrong = this.manifest.problems();
    if (wrong.length > 0) throw new AccessNotDeclared(wrong);
  }
}

function describe(endpoint: HttpEndpoint | GrpcEndpoint): string {
  const at =
    endpoint.transport === 'http' ? `${endpoint.method} ${endpoint.path}` : endpoint.method;
  return `${endpoint.rules.operation} (${at})`;
}

function problemsOf({ transport, rules }: HttpEndpoint | GrpcEndpoint): string[] {
  const { access, callers, limits } = rules;
  const problems: string[] = [];
  if (access === undefined && callers === undefined) {
    problems.push(
      'declares no access: add @Public(), @Authenticated(), @RequirePermission() or @AllowedClients()',
    );
  }
  if (access?.kind === 'public' && callers !== undefined) {
    problems.push('is @Public() and has @AllowedClients(): it is one or the other');
  }
  if (transport === 'grpc' && limits.length > 0) {
    problems.push(
      'has @RateLimit(), which counts HTTP calls: services call each other within deadlines and budgets',
    );
  }
  if (
    limits.some(({ by }) => by === 'principal') &&
    access?.kind !== 'authenticated' &&
    access?.kind !== 'permission'
  ) {
    problems.push('limits by principal, but lets callers in without one: limit by ip');
  }
  return problems;
}
