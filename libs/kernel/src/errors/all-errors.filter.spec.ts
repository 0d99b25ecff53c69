import { jest } from '@jest/globals';
import { type ArgumentsHost, Logger } from '@nestjs/common';

import { AllErrorsFilter, errorCodeOf } from './all-errors.filter.ts';

const failed = new Error('aborted');
const catching = (thrown: unknown, errored: Error | undefined) => {
  const raw = { errored };
  const send = jest.fn();
  const reply = {
    sent: false,
    raw: { headersSent: false, destroy: jest.fn() },
    status: () => reply,
    headers: () => reply,
    send,
  };
  const request = { raw, url: '/v1/things', headers: {} };
  const http = { getRequest: () => request, getResponse: () => reply };
  const host = { getType: () => 'http', switchToHttp: () => http } as unknown as ArgumentsHost;
  const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  new AllErrorsFilter().catch(thrown, host);
  const logged = log.mock.calls.length;
  log.mockRestore();
  return { code: errorCodeOf(raw), logged };
};

describe('AllErrorsFilter', () => {
  it('logs an error of ours', () => {
    expect(catching(failed, undefined)).toEqual({ code: 'INTERNAL_ERROR', logged: 1 });
  });

  it('holds nobody responsible for a client that goes away in the middle of its body', () => {
    expect(catching(failed, failed)).toEqual({ code: 'VALIDATION_FAILED', logged: 0 });
  });
});
