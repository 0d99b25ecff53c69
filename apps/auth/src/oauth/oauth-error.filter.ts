import { InvalidClient, InvalidRequest } from '@gatehouse/contracts-auth';
import { PlatformError } from '@gatehouse/contracts-platform';
import { asPlatformError, toProblem } from '@gatehouse/kernel';
import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';

interface Reply {
  status(code: number): Reply;
  headers(values: Record<string, string>): Reply;
  send(body: object): void;
}

/** The codes of RFC 6749 5.2; what else goes wrong is told in its terms. */
const OAUTH = new Set([
  'INVALID_REQUEST',
  'INVALID_CLIENT',
  'INVALID_GRANT',
  'UNAUTHORIZED_CLIENT',
  'UNSUPPORTED_GRANT_TYPE',
  'INVALID_SCOPE',
]);

/** Errors of the OAuth endpoints in RFC 6749 5.2 form: 400, or 401 where the client was not known. */
@Catch()
export class OAuthErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(OAuthErrorFilter.name);

  catch(thrown: unknown, host: ArgumentsHost): void {
    const error = asPlatformError(thrown);
    if (error.kind === 'internal') this.logger.error({ err: error.cause ?? error });
    const { status, headers } = toProblem(error);
    const name = nameOf(error, status);
    host
      .switchToHttp()
      .getResponse<Reply>()
      .status(OAUTH.has(error.code) && !(error instanceof InvalidClient) ? 400 : status)
      .headers({
        ...(headers['retry-after'] !== undefined && { 'retry-after': headers['retry-after'] }),
        ...(error instanceof InvalidClient && { 'www-authenticate': 'Basic realm="gatehouse"' }),
        'content-type': 'application/json',
        'cache-control': 'no-store',
        pragma: 'no-cache',
      })
      .send({ error: name, error_description: descriptionOf(error) });
  }
}

function nameOf(error: PlatformError, status: number): string {
  if (OAUTH.has(error.code)) return error.code.toLowerCase();
  if (status === 429 || status === 503) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : InvalidRequest.code.toLowerCase();
}

/** RFC 6749 5.2 allows printable ASCII without quotes and backslashes. */
function descriptionOf(error: PlatformError): string {
  const text = error.kind === 'internal' ? error.title : (error.detail ?? error.title);
  return text.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?');
}
