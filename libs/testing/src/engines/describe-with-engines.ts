import { describeWhere } from './describe-where.ts';
import { type Engine, enginesBin } from './engines-bin.ts';

/** `describe` for tests that start these engines (`engineSet`), as `describeWhere` has it. */
export function describeWithEngines(engines: readonly Engine[], block: () => void): void {
  const missing =
    enginesBin() === undefined ? 'ENGINES_BIN names no program that starts them' : undefined;
  describeWhere(`with ${engines.join(', ')}`, missing, block);
}
