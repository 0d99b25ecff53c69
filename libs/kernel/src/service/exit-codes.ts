/** sysexits.h: EX_USAGE for an unknown command, EX_CONFIG for a configuration that no restart can mend. */
export const EXIT = { ok: 0, failed: 1, usage: 64, config: 78 } as const;
