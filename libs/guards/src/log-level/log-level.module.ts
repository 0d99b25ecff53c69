import { ServiceInfo } from '@gatehouse/kernel';
import { Module } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';

import { Access, Callers } from '../decorators/access.decorators.ts';
import { Audit, type AuditedOptions } from '../decorators/audited.decorator.ts';
import { LogLevelController, LogLevelPeerController } from './log-level.controller.ts';
import { LogLevelPeers, peerPath } from './log-level.peers.ts';
import type { LogLevelBody, LogLevelsView } from './log-level.schemas.ts';

/**
 * Serves the log level of a service, in every process that has guards and decided for the platform:
 * `/v1/<service>/log-level`, with `<namespace>.log-level.{read,update}`.
 */
@Module({ controllers: [LogLevelController, LogLevelPeerController], providers: [LogLevelPeers] })
export class LogLevelModule {
  /** Modules are made before routes are registered, and only then is the service's name known. */
  constructor({ name, namespace }: ServiceInfo) {
    Reflect.defineMetadata(PATH_METADATA, `v1/${name}/log-level`, LogLevelController);
    Reflect.defineMetadata(PATH_METADATA, peerPath(name), LogLevelPeerController);
    Reflect.defineMetadata(Callers.KEY, [name], LogLevelPeerController);

    const see = 'See the log level of this service';
    allow('show', `${namespace}.log-level.read`, see);
    const update = `${namespace}.log-level.update`;
    for (const method of ['change', 'restore'] as const) {
      const handler = allow(method, update, 'Change the log level of this service for a time');
      Reflect.defineMetadata(Audit.KEY, { ...auditedOf(name), action: update }, handler);
    }
  }
}

function allow(
  method: 'show' | 'change' | 'restore',
  permission: string,
  description: string,
): object {
  const { [method]: handler } = LogLevelController.prototype as Record<typeof method, object>;
  const rule = { kind: 'permission', permission, scope: 'platform', description };
  Reflect.defineMetadata(Access.KEY, rule, handler);
  return handler;
}

/** The level asked for (null: LOG_LEVEL again) and until when it holds; of how many instances, and how many did not answer. */
function auditedOf(service: string): AuditedOptions<LogLevelsView> {
  return {
    target: () => ({ type: 'service', id: service }),
    metadata: (result, { body }) => {
      const { level = null } = (body ?? {}) as Partial<LogLevelBody>;
      if (result === undefined) return { level };
      const { instances } = result;
      return {
        level,
        until: instances[0]?.until ?? null,
        instances: instances.length,
        unreached: instances.filter(({ problem }) => problem !== null).length,
      };
    },
  };
}
