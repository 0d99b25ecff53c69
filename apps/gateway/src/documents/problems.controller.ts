import { commonErrors, RouteNotFound } from '@gatehouse/contracts-platform';
import { Public } from '@gatehouse/guards';
import { statusOf } from '@gatehouse/kernel';
import { Controller, Get, Header, Param, SetMetadata } from '@nestjs/common';

const CODE = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const MAX_CODE = 96;

/**
 * The pages that the `type` of a problem names. What every process may raise is described by its title; a code of a
 * service's own is spelled out, since the gateway knows no service by name.
 */
@Controller('problems')
@SetMetadata('swagger/apiExcludeController', [true])
export class ProblemsController {
  @Get(':code')
  @Public()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  @Header('x-content-type-options', 'nosniff')
  page(@Param('code') slug: string): string {
    if (slug.length > MAX_CODE || !CODE.test(slug)) throw new RouteNotFound();
    const code = slug.toUpperCase().replaceAll('-', '_');
    const known = commonErrors.find(code);
    const title = known?.title ?? sentence(slug);
    const status =
      known === undefined
        ? 'The service behind the route chose the status of the answer.'
        : `The answer has status ${statusOf(known.kind)}.`;
    return `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>${code}</title></head>
  <body>
    <h1>${title}</h1>
    <p>Code <code>${code}</code>. ${status}</p>
    <p>
      The answer's <code>detail</code> says what was wrong with this request, <code>errors</code> where in it,
      and <code>request_id</code> is what to give to whoever runs the platform.
    </p>
  </body>
</html>
`;
  }
}

function sentence(slug: string): string {
  const words = slug.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
