import { RouteNotFound } from '@gatehouse/contracts-platform';
import { Public } from '@gatehouse/guards';
import { Controller, Get, Param, Res, SetMetadata } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { OpenApiDocuments } from './openapi-documents.ts';

/** Nothing from elsewhere, and no script of the page's own text: what a document says can never become code. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Gatehouse API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <link rel="icon" href="/docs/favicon-32x32.png" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START = `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'list',
  validatorUrl: null,
  persistAuthorization: false,
});
`;

const TYPES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** The merged document, and a page to read it and try it: everything from this process, nothing from a CDN. */
@Controller()
@SetMetadata('swagger/apiExcludeController', [true])
export class DocsController {
  private readonly assets = new Map<string, Promise<Buffer>>();

  constructor(private readonly documents: OpenApiDocuments) {}

  @Get('openapi.json')
  @Public()
  document(): Promise<object> {
    return this.documents.merged();
  }

  @Get('docs')
  @Public()
  page(@Res() reply: FastifyReply): void {
    void secured(reply).type('text/html; charset=utf-8').send(PAGE);
  }

  @Get('docs/:asset')
  @Public()
  async asset(@Param('asset') asset: string, @Res() reply: FastifyReply): Promise<void> {
    if (asset === 'start.js') {
      await secured(reply).type('text/javascript; charset=utf-8').send(START);
      return;
    }
    const type = Object.hasOwn(TYPES, asset) ? TYPES[asset] : undefined;
    if (type === undefined) throw new RouteNotFound();
    await secured(reply)
      .type(type)
      .header('content-encoding', 'gzip')
      .header('cache-control', 'public, max-age=3600')
      .send(await this.compressed(asset));
  }

  /** Read and packed when first asked for, and kept. */
  private compressed(asset: string): Promise<Buffer> {
    let bytes = this.assets.get(asset);
    if (bytes === undefined) {
      bytes = readFile(require.resolve(`swagger-ui-dist/${asset}`)).then((file) => pack(file));
      this.assets.set(asset, bytes);
    }
    return bytes;
  }
}

const require = createRequire(import.meta.url);
const pack = promisify(gzip);

function secured(reply: FastifyReply): FastifyReply {
  return reply
    .header('content-security-policy', CSP)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer');
}
