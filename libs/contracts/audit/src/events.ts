import { defineEvents } from '@gatehouse/contracts-platform';

/** What Audit publishes: nothing yet. Checkpoints come with the proofs over them. */
export const auditEvents = defineEvents('audit', {});
