import { Controller, Get, Header, SetMetadata } from '@nestjs/common';

import { GATEWAY } from '../access/via.stage.ts';
import { AllowedClients } from '../decorators/access.decorators.ts';
import { ManifestPublication } from './manifest-publication.ts';
import { OpenApiDocument } from './openapi-document.ts';

/** What the gateway reads of an instance. Not in the manifest, and not in the OpenAPI document (the key is that of @nestjs/swagger). */
@Controller('.well-known/gatehouse')
@AllowedClients(GATEWAY)
@SetMetadata('swagger/apiExcludeController', [true])
export class WellKnownController {
  constructor(
    private readonly publication: ManifestPublication,
    private readonly openApi: OpenApiDocument,
  ) {}

  @Get('manifest')
  @Header('content-type', 'application/json')
  manifest(): Buffer {
    return this.publication.current().bytes;
  }

  @Get('openapi.json')
  @Header('content-type', 'application/json')
  document(): Promise<Buffer> {
    return this.openApi.bytes();
  }
}
