import type { LoggerService } from '@nestjs/common';

/** What a command says to whoever watches it begins so; `noteIn` finds it again in what another command printed. */
const MARK = '! ';

/** A logger of libraries for a command: what they warn of becomes a note, the rest is for nobody. */
export function notesOnly(print: (line: string) => void): LoggerService {
  return {
    log: () => undefined,
    warn: (message: unknown) => print(MARK + String(message)),
    error: (message: unknown) => print(MARK + String(message)),
  };
}

/** The note that this line of output is, if it is one. */
export function noteIn(line: string): string | undefined {
  return line.startsWith(MARK) ? line.slice(MARK.length) : undefined;
}
