import { PayloadTooLarge, UnsupportedMediaType } from '@gatehouse/contracts-platform';
import type { FastifyInstance, FastifyRequest } from 'fastify';

import { parseForm } from './form-rules.ts';
import { parseJson } from './json-rules.ts';
import { DEFAULT_CONSUMES, settingsInConfig } from './route-settings.ts';

const PARSERS: Record<string, (body: Buffer) => unknown> = {
  'application/json': parseJson,
  'application/x-www-form-urlencoded': parseForm,
};

/** Takes the place of Fastify's and Nest's parsers: ours know the rules of `json-rules.ts`, and a route's own limits. */
export function registerBodyParsing(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  for (const [type, parse] of Object.entries(PARSERS)) {
    fastify.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => {
      try {
        done(null, parse(body as Buffer));
      } catch (error) {
        done(error as Error);
      }
    });
  }
  fastify.addHook('onRoute', (route) => {
    const { bodyLimit } = settingsInConfig(route.config);
    if (bodyLimit !== undefined) route.bodyLimit = bodyLimit;
  });
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    done(bodyProblem(request), payload);
  });
}

function bodyProblem(request: FastifyRequest): Error | null {
  const { headers, routeOptions } = request;
  const hasBody =
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody || request.is404) return null;

  const consumes = settingsInConfig(routeOptions.config).consumes ?? DEFAULT_CONSUMES;
  const expected = `This route takes ${consumes.join(', ') || 'no body'}.`;
  const { type, charset } = mediaType(headers['content-type'] ?? '');
  if (!consumes.includes(type)) return new UnsupportedMediaType(expected);
  if (charset !== undefined && charset !== 'utf-8') {
    return new UnsupportedMediaType('Text is taken as UTF-8 only.');
  }
  const encoding = headers['content-encoding']?.toLowerCase();
  if (encoding !== undefined && encoding !== 'identity') {
    return new UnsupportedMediaType('A body with a Content-Encoding is not taken.');
  }
  // Without this Fastify refuses by closing the connection while the client still writes, and the answer is lost.
  const limit = routeOptions.bodyLimit;
  if (Number(headers['content-length'] ?? 0) > limit) {
    return new PayloadTooLarge(`This route takes at most ${limit} bytes.`);
  }
  return null;
}

/** RFC 9110 section 8.3.1: type in lower case, and its charset. */
export function mediaType(contentType: string): { type: string; charset?: string } {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => parameter.trim())
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '');
  return { type: type.trim(), ...(charset !== undefined && { charset }) };
}
