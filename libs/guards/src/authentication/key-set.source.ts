import type { KeySetDocument } from './signed-key-set.ts';

/**
 * Port: where the public signing keys come from. `load` answers with the set as Auth has it now, its signature
 * verified where it came over the network; it rejects where it cannot be had.
 */
export abstract class KeySetSource {
  abstract load(): Promise<KeySetDocument>;
}
