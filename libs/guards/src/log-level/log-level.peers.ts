import { Discovery, type ServiceInstance, ViaTokens } from '@gatehouse/discovery';
import { childSpan, formatTraceparent, requestContext, ServiceInfo } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { InstanceLevel, type LogLevelBody, type LogLevelsView } from './log-level.schemas.ts';

/** An instance that hangs is one that does not answer. */
const TIMEOUT_MS = 2000;

export type LevelCall =
  { method: 'GET' | 'DELETE'; body?: never } | { method: 'PUT'; body: LogLevelBody };

/** Where one process is asked about its own level. */
export function peerPath(service: string): string {
  return `v1/${service}/log-level/instance`;
}

/**
 * Asks every instance of this service that discovery knows, this one included: a log level belongs to a process. What one
 * does not answer is said of it and changes nothing for the others.
 */
@Injectable()
export class LogLevelPeers {
  constructor(
    private readonly service: ServiceInfo,
    private readonly discovery: Discovery,
    private readonly via: ViaTokens,
  ) {}

  async ask(call: LevelCall, own: () => InstanceLevel): Promise<LogLevelsView> {
    const { name, instanceId } = this.service;
    const others = this.discovery.find(name).filter((other) => other.instanceId !== instanceId);
    const first = { instance_id: instanceId, ...own(), problem: null };
    const rest = await Promise.all(others.map((other) => this.askOne(other, call)));
    return { service: name, instances: [first, ...rest] };
  }

  private async askOne(other: ServiceInstance, call: LevelCall) {
    try {
      return { instance_id: other.instanceId, ...(await this.send(other, call)), problem: null };
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return {
        instance_id: other.instanceId,
        level: null,
        configured_level: null,
        until: null,
        problem,
      };
    }
  }

  private async send({ httpUrl }: ServiceInstance, call: LevelCall): Promise<InstanceLevel> {
    if (httpUrl === undefined) throw new Error('it serves no HTTP');
    const { name } = this.service;
    const { requestId, trace } = requestContext.require();
    const answer = await fetch(`${httpUrl}/${peerPath(name)}`, {
      method: call.method,
      headers: {
        'gatehouse-via': await this.via.issue(name),
        'x-request-id': requestId,
        traceparent: formatTraceparent(childSpan(trace)),
        ...(call.body && { 'content-type': 'application/json' }),
      },
      ...(call.body && { body: JSON.stringify(call.body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`it answered ${answer.status}`);
    return InstanceLevel.parse(JSON.parse(text));
  }
}
