/** What is known of a session's refresh tokens. */
export interface RotationState {
  /** Of the token that is good now. */
  generation: number;
  /** When earlier generations were used, newest last, as far as they are remembered. */
  rotatedAt: readonly Date[];
}

export type Verdict =
  /** It is the token that is good now: it gets a successor. */
  | 'rotate'
  /** It was used within the window before: it gets its successor again. */
  | 'repeat'
  /** It was used before, and longer ago: somebody else may have it. */
  | 'reused'
  /** Not of this session: a token from the future. */
  | 'unknown';

/** What becomes of a token of our making when it is presented. */
export function judge(
  state: RotationState,
  presented: number,
  now: number,
  windowMs: number,
): Verdict {
  const behind = state.generation - presented;
  if (behind === 0) return 'rotate';
  if (behind < 0) return 'unknown';
  const usedAt = state.rotatedAt.at(-behind)?.getTime();
  return windowMs > 0 && usedAt !== undefined && now - usedAt <= windowMs ? 'repeat' : 'reused';
}

/** What a session remembers after a rotation now. */
export function afterRotation(rotatedAt: readonly Date[], now: number, windowMs: number): Date[] {
  return [...rotatedAt.filter((at) => now - at.getTime() <= windowMs), new Date(now)];
}
