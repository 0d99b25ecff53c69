import { X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const expiries = new Map<string, number>();

/** Notes when the certificates among the values of a configuration expire. What holds none is passed over. */
export function noteCertificates(values: Readonly<Record<string, unknown>>): void {
  for (const [variable, value] of Object.entries(values)) {
    if (typeof value !== 'string') continue;
    const seconds = (value.match(CERTIFICATE) ?? []).map(expiryOf).filter(Number.isFinite);
    if (seconds.length > 0) expiries.set(variable, Math.min(...seconds));
  }
}

/** By variable, when the first certificate in it expires: seconds since the epoch. */
export function certificateExpiries(): ReadonlyMap<string, number> {
  return expiries;
}

/** NaN where it cannot be read: whether a certificate can be used is for who uses it to say. */
function expiryOf(pem: string): number {
  try {
    return Math.floor(Date.parse(new X509Certificate(pem).validTo) / 1000);
  } catch {
    return NaN;
  }
}
