import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Place } from './places.ts';

export interface Address {
  host: string;
  port: number;
}

const NO_SUCH = new Set(['ENOTFOUND', 'ENODATA']);
/** More of one place are not asked. */
const MAX_ADDRESSES = 256;

/**
 * The addresses behind a place, asked anew each time. A name that has none has no instances; a name server that fails leaves
 * the last known ones. Names are asked as they are written, without a search list.
 */
export class PlaceResolver {
  private readonly known = new Map<string, readonly string[]>();
  private readonly knownSrv = new Map<string, readonly Address[]>();

  constructor(private readonly dns = new Resolver({ timeout: 1_000, tries: 1 })) {}

  /** @throws where a name server fails that never answered before */
  async addressesOf(place: Place): Promise<Address[]> {
    const targets =
      'srv' in place
        ? await remembered(this.knownSrv, place.srv, async () =>
            (await this.dns.resolveSrv(place.srv)).map(({ name, port }) => ({ host: name, port })),
          )
        : [place];
    const addresses = await Promise.all(
      targets
        .slice(0, MAX_ADDRESSES)
        .map(async ({ host, port }) =>
          (await this.hostsOf(host)).map((address) => ({ host: address, port })),
        ),
    );
    return addresses.flat().slice(0, MAX_ADDRESSES);
  }

  /** Waits for no answer any longer. */
  close(): void {
    this.dns.cancel();
  }

  private async hostsOf(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    return remembered(this.known, host, async () => {
      const answers = await Promise.allSettled([this.dns.resolve4(host), this.dns.resolve6(host)]);
      const found = answers.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
      const failed = answers.find(
        (each) => each.status === 'rejected' && !isNoSuch(each.reason),
      ) as PromiseRejectedResult | undefined;
      if (found.length === 0 && failed) throw failed.reason;
      return found;
    });
  }
}

/** What `ask` finds, and where it fails what it found last. */
async function remembered<T>(
  known: Map<string, readonly T[]>,
  name: string,
  ask: () => Promise<readonly T[]>,
): Promise<readonly T[]> {
  try {
    const found = await ask();
    known.set(name, found);
    return found;
  } catch (error) {
    if (isNoSuch(error)) {
      known.set(name, []);
      return [];
    }
    const last = known.get(name);
    if (last === undefined) throw error;
    return last;
  }
}

function isNoSuch(error: unknown): boolean {
  return NO_SUCH.has((error as NodeJS.ErrnoException).code ?? '');
}
