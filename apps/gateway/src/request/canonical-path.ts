/**
 * A request target is read in one way only, or not at all: whatever two readers could take differently (an encoded
 * slash or letter, a dot segment, a doubled slash, a path parameter, an overlong UTF-8 sequence) is refused here,
 * before anything is matched. See RFC 3986 section 6.2.2 and security.md, class 8.
 */

const REFUSED = 0;
const PLAIN = 1;
const SLASH = 2;
const PERCENT = 3;
const DOT = 4;
const QUERY = 5;

/** What a raw octet means in a path. Anything not listed is refused: `;` `\` `#` `"` `<` control characters, bytes over 0x7e. */
const PATH_OCTETS = new Uint8Array(128);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~!$&'()*+,=:@") {
  PATH_OCTETS[char.charCodeAt(0)] = PLAIN;
}
PATH_OCTETS[0x2f] = SLASH;
PATH_OCTETS[0x25] = PERCENT;
PATH_OCTETS[0x2e] = DOT;
PATH_OCTETS[0x3f] = QUERY;

/** RFC 3986 unreserved characters never need encoding; encoded, they are a second spelling of the same path. */
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/**
 * Where the path of an origin-form request target ends (the index of `?`, or the length), or -1 where the target is
 * not canonical. Absolute-form (`http://…`), authority-form and `*` are not origin-form, hence -1.
 */
export function canonicalPathEnd(target: string): number {
  if (target.charCodeAt(0) !== 0x2f) return -1;
  const length = target.length;
  let segment = 1;
  let onlyDots = true;
  for (let index = 1; index < length; index++) {
    const octet = target.charCodeAt(index);
    switch (octet < 128 ? PATH_OCTETS[octet] : REFUSED) {
      case PLAIN:
        onlyDots = false;
        break;
      case DOT:
        break;
      case SLASH:
        if (index === segment || isDotSegment(onlyDots, index - segment)) return -1;
        segment = index + 1;
        onlyDots = true;
        break;
      case PERCENT:
        index = encodedEnd(target, index);
        if (index < 0) return -1;
        onlyDots = false;
        break;
      case QUERY:
        if (isDotSegment(onlyDots, index - segment)) return -1;
        return isCanonicalQuery(target, index + 1) ? index : -1;
      default:
        return -1;
    }
  }
  return isDotSegment(onlyDots, length - segment) ? -1 : length;
}

function isDotSegment(onlyDots: boolean, length: number): boolean {
  return onlyDots && (length === 1 || length === 2);
}

/** Visible ASCII without `#`: what is inside is the service's to judge. */
function isCanonicalQuery(target: string, start: number): boolean {
  for (let index = start; index < target.length; index++) {
    const octet = target.charCodeAt(index);
    if (octet <= 0x20 || octet >= 0x7f || octet === 0x23) return false;
  }
  return true;
}

/** Index of the last character of the percent-encoded character that starts at `index`, or -1 where it is refused. */
function encodedEnd(target: string, index: number): number {
  const lead = octetAt(target, index);
  if (lead < 0) return -1;
  if (lead < 0x80) return isAllowedEncoded(lead, target, index) ? index + 2 : -1;
  const [following, low, high] = utf8Shape(lead);
  if (following === 0) return -1;
  for (let nth = 1; nth <= following; nth++) {
    const next = octetAt(target, index + 3 * nth);
    if (next < (nth === 1 ? low : 0x80) || next > (nth === 1 ? high : 0xbf)) return -1;
  }
  return index + 3 * following + 2;
}

function isAllowedEncoded(octet: number, target: string, index: number): boolean {
  if (octet < 0x20 || octet === 0x7f || octet === 0x2f || octet === 0x5c) return false;
  if (UNRESERVED.test(String.fromCharCode(octet))) return false;
  // `%2541`: whoever decodes twice reads another path than whoever decodes once.
  return octet !== 0x25 || hexPair(target, index + 3) < 0;
}

/** RFC 3629 section 4: how many octets follow, and the range of the first of them (no overlong forms, no surrogates). */
function utf8Shape(lead: number): readonly [following: number, low: number, high: number] {
  if (lead >= 0xc2 && lead <= 0xdf) return [1, 0x80, 0xbf];
  if (lead === 0xe0) return [2, 0xa0, 0xbf];
  if (lead === 0xed) return [2, 0x80, 0x9f];
  if (lead >= 0xe1 && lead <= 0xef) return [2, 0x80, 0xbf];
  if (lead === 0xf0) return [3, 0x90, 0xbf];
  if (lead >= 0xf1 && lead <= 0xf3) return [3, 0x80, 0xbf];
  if (lead === 0xf4) return [3, 0x80, 0x8f];
  return [0, 0, 0];
}

function octetAt(target: string, index: number): number {
  return target.charCodeAt(index) === 0x25 ? hexPair(target, index + 1) : -1;
}

function hexPair(target: string, index: number): number {
  const high = hexDigit(target.charCodeAt(index));
  const low = hexDigit(target.charCodeAt(index + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return -1;
}
