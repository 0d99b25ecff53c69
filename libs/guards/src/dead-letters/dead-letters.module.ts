import { ServiceInfo } from '@gatehouse/kernel';
import { Module } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';

import { Access } from '../decorators/access.decorators.ts';
import { Audit } from '../decorators/audited.decorator.ts';
import { DeadLettersController } from './dead-letters.controller.ts';

/**
 * Serves the service's dead letters at `/v1/<service>/dead-letters`: list, replay, discard, with the permissions
 * `<namespace>.dead-letter.{read,replay,discard}`, decided for the platform. Imported by services on the event bus.
 */
@Module({ controllers: [DeadLettersController] })
export class DeadLettersModule {
  /** Modules are made before routes are registered, and only then is the service's name known. */
  constructor({ name, namespace }: ServiceInfo) {
    Reflect.defineMetadata(PATH_METADATA, `v1/${name}/dead-letters`, DeadLettersController);
    allow('list', `${namespace}.dead-letter.read`, 'List dead letters');
    allow('replay', `${namespace}.dead-letter.replay`, 'Replay dead letters', true);
    allow('discard', `${namespace}.dead-letter.discard`, 'Discard dead letters', true);
  }
}

function allow(
  method: 'list' | 'replay' | 'discard',
  permission: string,
  what: string,
  audited = false,
): void {
  const rule = {
    kind: 'permission',
    permission,
    scope: 'platform',
    description: `${what} of this service`,
  };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it carries metadata, it is not called
  const handler: object = DeadLettersController.prototype[method];
  Reflect.defineMetadata(Access.KEY, rule, handler);
  if (audited) Reflect.defineMetadata(Audit.KEY, { action: permission }, handler);
}
