import { Validator } from '@seriousme/openapi-schema-validator';
import type { ApiDocument, Operation } from './api-document.ts';

/** What is wrong with the document itself: who makes a client from it must not have to guess. */
export async function documentFaults(document: ApiDocument): Promise<string[]> {
  const result = await new Validator().validate(
    structuredClone(document.source as Record<string, unknown>),
  );
  const { openapi, components } = document.source as {
    openapi?: string;
    components?: { securitySchemes?: object };
  };
  const ids = document.operations.map(({ operationId }) => operationId);
  return [
    ...(openapi === '3.1.0' ? [] : [`it is of version ${openapi}`]),
    ...(result.valid ? [] : [`it is not valid: ${JSON.stringify(result.errors)}`]),
    ...document.danglingReferences().map((reference) => `${reference} points at nothing`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is there twice`),
    ...document.operations.flatMap((operation) =>
      [...operationFaults(operation, Object.keys(components?.securitySchemes ?? {}))].map(
        (fault) => `${operation.name}: ${fault}`,
      ),
    ),
  ];
}

function* operationFaults(operation: Operation, schemes: string[]): Generator<string> {
  const { operationId, path, parameters, security, bodies, responses, method } = operation;
  if (operationId === '') yield 'no operationId';
  if (security === undefined) yield 'it does not say who may call it';
  for (const name of (security ?? []).flatMap((each) => Object.keys(each))) {
    if (!schemes.includes(name)) yield `the security scheme ${name} is not there`;
  }
  for (const [, name] of path.matchAll(/\{([^}]+)\}/g)) {
    const declared = parameters.find((each) => each.in === 'path' && each.name === name);
    if (declared?.required !== true) yield `{${name}} is not declared`;
  }
  const statuses = Object.keys(responses);
  if (!statuses.some((status) => /^2\d\d$/.test(status))) yield 'no answer where it succeeds';
  if (!statuses.includes('default')) yield 'no answer where it fails';
  if (!operation.isPublic && !statuses.includes('401')) yield 'no 401';
  if (operation.permission !== undefined && !statuses.includes('403')) yield 'no 403';
  for (const [status, { content = {} }] of Object.entries(responses)) {
    const problem = Object.keys(content).some((type) => type.endsWith('json'));
    if (!/^[23]/.test(status) && !problem) yield `${status} says nothing of what went wrong`;
  }
  if ((method === 'GET' || method === 'DELETE') && bodies.length > 0) yield 'a body it cannot take';
}
