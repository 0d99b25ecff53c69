export interface Command {
  name: string;
  description: string;
  run: (args: string[]) => Promise<void>;
}

/** What `node main.js <command>` can do instead of serving. A command sees Nest's container, no listener, no phase. */
export class CommandRegistry {
  readonly #commands = new Map<string, Command>();

  /** @throws where the name is taken */
  add(name: string, description: string, run: Command['run']): void {
    if (this.#commands.has(name)) throw new Error(`there are two commands ${name}`);
    this.#commands.set(name, { name, description, run });
  }

  find(name: string): Command | undefined {
    return this.#commands.get(name);
  }

  list(): Command[] {
    return [...this.#commands.values()];
  }
}
