import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { JsonFile } from '../data/json-file.ts';

const Administrator = z.object({
  user_id: z.uuid(),
  email: z.string(),
  password: z.string(),
  /** When the account had its role; until then every start tries again, with this id and password. */
  completed_at: z.iso.datetime().optional(),
});

export type Administrator = z.infer<typeof Administrator>;

export const DEFAULT_ADMINISTRATOR_EMAIL = 'admin@gatehouse.local';

/**
 * The first administrator as it was decided once, before anything was made of it: a start that was cut off resumes this
 * very user id and never another's.
 */
export class AdministratorFile {
  private readonly file: JsonFile<Administrator>;

  constructor(readonly path: string) {
    this.file = new JsonFile(path, Administrator);
  }

  read(): Administrator | undefined {
    return this.file.read();
  }

  /** The stored one, else a new one with this address and a password of 144 random bits. */
  decide(newId: () => string, email = DEFAULT_ADMINISTRATOR_EMAIL): Administrator {
    const stored = this.read();
    if (stored) return stored;
    const decided = {
      user_id: newId(),
      email,
      password: randomBytes(18).toString('base64url'),
    };
    this.file.write(decided);
    return decided;
  }

  /** What was made is gone: the next start makes it again, with this id and password. */
  reopen(): void {
    const stored = this.read();
    if (stored?.completed_at === undefined) return;
    const { completed_at: _made, ...decided } = stored;
    this.file.write(decided);
  }

  complete(administrator: Administrator): void {
    this.file.write({ ...administrator, completed_at: new Date().toISOString() });
  }
}
