import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

export type Profile = 'embedded' | 'scale';

/** Apart, so that one checkout can run both. */
const DEFAULT_NAME = { embedded: '.gatehouse', scale: '.gatehouse-scale' };

/** Where a platform of this machine keeps everything it has: `.gatehouse/` of the workspace, or GATEHOUSE_DATA_DIR. */
export class DataFolder {
  readonly path: string;

  constructor(workspace: string, profile: Profile = 'embedded') {
    const configured = process.env.GATEHOUSE_DATA_DIR;
    this.path = configured ? resolve(configured) : join(workspace, DEFAULT_NAME[profile]);
  }

  readonly postgres = () => join(this.path, 'postgres');
  readonly credentials = (owner?: string) => join(this.path, 'credentials', owner ?? '');
  readonly log = (name?: string) =>
    join(this.path, 'logs', name === undefined ? '' : `${name}.log`);
  readonly administrator = () => join(this.path, 'administrator.json');
  readonly state = () => join(this.path, 'state.json');
  readonly lock = () => join(this.path, 'launcher.lock');
  readonly served = () => join(this.path, 'served');
  readonly compileCache = () => join(this.path, 'cache');

  /**
   * Makes it, for its owner alone. Root's may be passed through, not listed: PostgreSQL, which refuses to run as
   * root, has to reach its own folder in it.
   */
  open(): void {
    mkdirSync(this.path, { recursive: true });
    chmodSync(this.path, process.getuid?.() === 0 ? 0o711 : 0o700);
    for (const folder of [this.log(), this.credentials()]) {
      mkdirSync(folder, { recursive: true });
      chmodSync(folder, 0o700);
    }
  }

  get exists(): boolean {
    return existsSync(this.path);
  }

  /** Whether all that is in it is what a platform puts there: nothing else is ever deleted. */
  foreignFiles(): string[] {
    const own = ['postgres', 'credentials', 'logs', 'administrator.json', 'state.json'];
    own.push('launcher.lock', 'served', 'cache', 'postgres.new');
    return readdirSync(this.path).filter(
      (name) => !own.includes(name) && !own.some((each) => name.startsWith(`${each}.`)),
    );
  }
}
