/** What became of presented access tokens, counted in place. */
export class TokenTally {
  /** Verified before, and good still. */
  cached = 0;
  /** The signature was checked, and the token is good. */
  verified = 0;
  expired = 0;
  invalid = 0;
  /** Names a key that is not in the set, which was read again for it where one was due. */
  unknown_key = 0;
  /** No key set is at hand. */
  unavailable = 0;
}

/** Permission decisions, counted in place. `memory`: from what is held; `remote`: a subject's bindings were asked for. */
export class DecisionTally {
  readonly granted = { memory: 0, remote: 0 };
  readonly denied = { memory: 0, remote: 0 };
  /** What was needed to decide could not be known. */
  readonly error = { memory: 0, remote: 0 };
}
