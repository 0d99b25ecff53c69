import { DeadLetters } from '@gatehouse/event-bus';
import { PageTokens } from '@gatehouse/persistence';
import type { ModuleRef } from '@nestjs/core';

/** What the controller works with. Imported on demand, since it loads the database libraries. */
export function deadLetterParts(references: ModuleRef): {
  letters: DeadLetters;
  tokens: PageTokens;
} {
  return {
    letters: references.get(DeadLetters, { strict: false }),
    tokens: references.get(PageTokens, { strict: false }),
  };
}
