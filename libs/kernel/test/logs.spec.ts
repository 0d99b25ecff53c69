import { Logger } from '@nestjs/common';

import { newRequestContext, requestContext, type RunningService } from '../src/index.ts';
import { forgetLogs, logLines, logText } from './fixtures/log-lines.ts';
import { ProbeModule } from './fixtures/probe.module.ts';
import { startProbe } from './fixtures/probe.service.ts';

let service: RunningService;
beforeAll(async () => {
  service = await startProbe(ProbeModule);
});
afterAll(() => service.stop());
beforeEach(forgetLogs);

const logger = new Logger('Tests');
const only = () => {
  const lines = logLines();
  expect(lines).toHaveLength(1);
  return lines[0] as Record<string, unknown>;
};

describe('a log line', () => {
  it('says when, how grave, and which instance of which service', () => {
    logger.log('hello');
    expect(only()).toMatchObject({
      level: 'info',
      service: 'probe',
      version: '1.2.3',
      instance: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$/) as string,
      context: 'Tests',
      msg: 'hello',
    });
  });

  it('carries the work in hand', () => {
    const principal = {
      id: 'u-1',
      type: 'user' as const,
      sessionId: 's',
      clientId: 'c',
      token: 'hunter2',
      expiresAt: 0,
    };
    const context = newRequestContext({ requestId: 'r-1', principal, caller: 'gateway' });
    requestContext.run(context, () => logger.log('at work'));
    expect(only()).toMatchObject({
      request_id: 'r-1',
      trace_id: context.trace.traceId,
      span_id: context.trace.spanId,
      principal_id: 'u-1',
      caller: 'gateway',
    });
    expect(logText()).not.toContain('hunter2');
  });

  it.each([
    ['a line break', 'x\n{"level":"fatal","msg":"forged"}'],
    ['a carriage return', 'x\rforged'],
    ['ANSI colours', '\u001b[31mred\u001b[0m'],
    ['a C1 escape', 'x\u009b31mred'],
    ['a line separator', 'x\u2028y\u2029z\u0085'],
    ['a quote', 'x","level":"fatal'],
  ])('is one line without control characters, whatever is logged: %s', (_name, text) => {
    logger.log(text);
    logger.warn({ name: text, nested: { [text]: text } }, 'named');
    const raw = logText();
    expect(raw.split('\n')).toHaveLength(3);
    // eslint-disable-next-line no-control-regex
    expect(raw.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(logLines().map(({ level }) => level)).toEqual(['info', 'warn']);
    expect(logLines()[0]?.msg).toBe(text);
  });

  it('holds no secret, by name or in a text', () => {
    logger.error(
      {
        headers: { authorization: 'Bearer hunter2', cookie: 'hunter2', 'gatehouse-via': 'hunter2' },
        body: { user: { new_password: 'hunter2', tokens: ['hunter2'] } },
        err: Object.assign(new Error('failed'), { parameters: ['hunter2'] }),
      },
      'sent Authorization: Bearer hunter2hunter2 to postgres://app:hunter2@db/x',
    );
    expect(only().level).toBe('error');
    expect(logText()).not.toContain('hunter2');
  });

  it('of an error has its type, message, stack and cause', () => {
    logger.error(new RangeError('too far', { cause: new Error('because') }));
    expect(only()).toMatchObject({
      err: {
        type: 'RangeError',
        message: 'too far',
        stack: expect.stringContaining('logs.spec') as string,
        cause: { message: 'because' },
      },
    });
  });
});

describe('a request', () => {
  it('is one line, by route template, with the code of its error', async () => {
    const answer = await fetch(`${service.httpUrl}/v1/probe/fail/conflict?token=hunter2`);
    const line = logLines().find(({ context }) => context === 'Requests');
    expect(line).toMatchObject({
      level: 'info',
      method: 'GET',
      route: '/v1/probe/fail/:how',
      status: 409,
      code: 'PROBE_CONFLICT',
      request_id: answer.headers.get('x-request-id'),
      duration_ms: expect.any(Number) as number,
    });
    expect(logText()).not.toContain('hunter2');
  });

  it('that meets a bug leaves its stack, under the request id the client got', async () => {
    const answer = await fetch(`${service.httpUrl}/v1/probe/fail/bug`);
    expect(logLines()).toContainEqual(
      expect.objectContaining({
        level: 'error',
        code: 'INTERNAL_ERROR',
        request_id: answer.headers.get('x-request-id'),
        err: expect.objectContaining({
          type: 'TypeError',
          stack: expect.stringContaining('probe.module') as string,
        }) as object,
      }),
    );
  });
});
