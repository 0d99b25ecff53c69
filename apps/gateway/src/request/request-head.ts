import { HeaderClass, knownHeader } from './header-classes.ts';

/** More header fields than any client of ours sends; Node itself silently hides those beyond its own bound. */
export const MAX_HEADER_FIELDS = 100;

const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** Why a head cannot be read in one way only. */
export type HeadProblem = 'too-many-fields' | 'host' | 'duplicate' | 'framing' | undefined;

/**
 * What the gateway needs of a request's head, read in one pass over Node's raw header array, and `forwarded`: the
 * end-to-end headers as name, value, name, value, in the order they came, names in lower case. Nothing that only the gateway may say is in it.
 */
export class RequestHead {
  problem: HeadProblem;
  forwarded: string[] = [];
  host: string | undefined;
  authorization: string | undefined;
  contentType: string | undefined;
  /** -1 where there is none. */
  contentLength = -1;
  chunked = false;
  forwardedFor: string | undefined;
  forwardedProto: string | undefined;
  traceparent: string | undefined;
  tracestate: string | undefined;
  /** The client's own: logged, never used as a key. */
  requestId: string | undefined;
  origin: string | undefined;
  preflightMethod: string | undefined;
  cookie: string | undefined;

  constructor(raw: readonly string[]) {
    if (raw.length > 2 * MAX_HEADER_FIELDS) this.problem = 'too-many-fields';
    let listed: string | undefined;
    for (let index = 0; index < raw.length; index += 2) {
      const { kind, name } = knownHeader(raw[index] as string);
      const value = raw[index + 1] as string;
      switch (kind) {
        case HeaderClass.end_to_end:
          this.forwarded.push(name, value);
          break;
        case HeaderClass.connection:
          if (value !== 'keep-alive' && value !== 'close') {
            listed = listed === undefined ? value : `${listed},${value}`;
          }
          break;
        case HeaderClass.host:
          if (this.host !== undefined) this.problem = 'host';
          this.host = value;
          break;
        case HeaderClass.authorization:
          if (this.authorization !== undefined) this.problem = 'duplicate';
          this.authorization = value;
          break;
        case HeaderClass.contentLength:
          if (this.contentLength >= 0 || !/^\d{1,15}$/.test(value)) this.problem = 'framing';
          else this.contentLength = Number(value);
          break;
        case HeaderClass.transferEncoding:
          if (this.chunked || value.toLowerCase() !== 'chunked') this.problem = 'framing';
          this.chunked = true;
          break;
        case HeaderClass.contentType:
          if (this.contentType !== undefined) this.problem = 'duplicate';
          this.contentType = value;
          break;
        case HeaderClass.forwardedFor:
          this.forwardedFor =
            this.forwardedFor === undefined ? value : `${this.forwardedFor},${value}`;
          break;
        case HeaderClass.forwardedProto:
          this.forwardedProto = value;
          break;
        case HeaderClass.traceparent:
          // Two of them: neither is the caller's (W3C Trace Context section 3.2.2).
          this.traceparent = this.traceparent === undefined ? value : '';
          break;
        case HeaderClass.tracestate:
          this.tracestate = this.tracestate === undefined ? value : `${this.tracestate},${value}`;
          break;
        case HeaderClass.requestId:
          this.requestId = value;
          break;
        case HeaderClass.origin:
          this.origin = value;
          this.forwarded.push(name, value);
          break;
        case HeaderClass.preflightMethod:
          this.preflightMethod = value;
          break;
        case HeaderClass.cookie:
          this.cookie = this.cookie === undefined ? value : `${this.cookie}; ${value}`;
          break;
        case HeaderClass.dropped:
          break;
      }
    }
    if (this.chunked && this.contentLength >= 0) this.problem = 'framing';
    if (this.host !== undefined && !isHost(this.host)) this.problem = 'host';
    if (listed !== undefined) this.dropListed(listed);
  }

  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }

  /** RFC 9110 section 7.6.1: what `Connection` lists is meant for this hop. What the gateway adds comes later and stays. */
  private dropListed(connection: string): void {
    const listed = new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
    this.forwarded = this.forwarded.filter((_, index, all) => {
      const name = all[index - (index % 2)] as string;
      return !listed.has(name);
    });
  }
}

let lastHost = '';
function isHost(value: string): boolean {
  if (value === lastHost) return true;
  if (!HOST.test(value)) return false;
  lastHost = value;
  return true;
}
