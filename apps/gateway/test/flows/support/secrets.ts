import { readFileSync } from 'node:fs';
import type { TestPlatform } from '@gatehouse/testing-platform';

/** Any JSON Web Token: an access token, or what services show each other (`Gatehouse-Via`). */
const TOKEN = /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/;
const CREDENTIALS = ['service-key', 'database-url', 'page-token-key', 'data-encryption-key'];

/** Words that no log may repeat: what a test has sent or was given, and what the services hold. */
export class Secrets {
  private readonly known = new Map<string, string>();

  /** Returns it, so that it can be noted where it is made. */
  note<T extends string>(what: string, secret: T): T {
    if (secret.length >= 8) this.known.set(secret, what);
    return secret;
  }

  /** `gateway: an access token`, for each secret that a log of a service holds. */
  leaks(platform: TestPlatform, services: readonly string[]): string[] {
    return services.flatMap((service) => {
      const log = platform.logsOf(service);
      if (log === '') return [`${service} has no log to look at`];
      const held = [...this.known, ...credentialsOf(platform, service)];
      const repeated = held.filter(([secret]) => log.includes(secret));
      const found = repeated.map(([, what]) => `${service}: ${what}`);
      const line = log.split('\n').find((each) => TOKEN.test(each));
      return line === undefined
        ? found
        : [...found, `${service}: a token in ${line.slice(0, 500)}`];
    });
  }
}

function credentialsOf(platform: TestPlatform, service: string): [string, string][] {
  return CREDENTIALS.flatMap((name): [string, string][] => {
    try {
      const text = readFileSync(`${platform.credentialsDirOf(service)}/${name}`, 'utf8').trim();
      const secret = name === 'database-url' ? new URL(text).password : text.split('\n')[1];
      return [[secret ?? text, name]];
    } catch {
      return [];
    }
  });
}
