export interface Decision {
  allowed: boolean;
  /** Why, in words a person can act on. */
  reason: string;
  /** `remote`: the subject was not known here and Authz was asked for it first. */
  source: 'memory' | 'remote';
  /** The change counter of Authz up to which this decision knows the subject. */
  revision: number;
}

/** Whom a decision is about. */
export interface DecisionSubject {
  id: string;
  type: 'user' | 'service';
}
